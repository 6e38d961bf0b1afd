import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { transformSync } from '@swc/core';
import { cruise, type IFlattenedRuleSet } from 'dependency-cruiser';
import { AT_RUN_TIME, EXCLUDED, ROOMS, WRITTEN } from './import-rules.ts';

/** One import that a rule forbids. */
export interface ImportViolation {
  readonly rule: string;
  readonly comment: string;
  /** The files from the one that breaks the rule to the one it may not reach; paths relative to the root. */
  readonly path: readonly string[];
}

/**
 * Judges every import of the sources under `root` by `lint/import-rules.ts`; both graphs, the written one and the one
 * at run time. `root` has a package.json and node_modules. Throws when a source can't be parsed.
 */
export async function findImportViolations(root: string): Promise<ImportViolation[]> {
  const written = await judge(root, WRITTEN);
  const stripped = stripTypes(root);
  try {
    return [...written, ...(await judge(stripped, AT_RUN_TIME))];
  } finally {
    rmSync(stripped, { recursive: true, force: true });
  }
}

async function judge(root: string, ruleSet: IFlattenedRuleSet): Promise<ImportViolation[]> {
  const rooms = ROOMS.filter((room) => existsSync(join(root, room)));
  // TypeScript 7 has no compiler API, so dependency-cruiser parses with SWC; its syntax tree holds type imports too.
  const { output } = await cruise(
    rooms,
    {
      baseDir: root,
      parser: 'swc',
      ruleSet,
      validate: true,
      preserveSymlinks: true,
      exclude: { path: EXCLUDED },
      doNotFollow: { path: '^node_modules/' },
    },
    {
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      symlinks: false,
    },
  );
  if (typeof output === 'string') throw new Error(`dependency-cruiser answered with text, not with a graph: ${output}`);
  if (output.summary.totalCruised === 0) throw new Error(`There is nothing to judge in ${root}`);
  const comments = new Map((ruleSet.forbidden ?? []).map((rule) => [rule.name, rule.comment ?? '']));
  return output.summary.violations.map((violation) => ({
    rule: violation.rule.name,
    comment: comments.get(violation.rule.name) ?? '',
    path: [violation.from, ...(violation.cycle ?? violation.via ?? [{ name: violation.to }]).map((step) => step.name)],
  }));
}

/** A copy of the sources with the types stripped as Node strips them; the caller removes it. */
function stripTypes(root: string): string {
  const copy = mkdtempSync(join(tmpdir(), 'slipway-imports-'));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  const excluded = new RegExp(EXCLUDED);
  for (const file of globSync(`{${ROOMS.join(',')}}/**/*.ts`, { cwd: root })) {
    if (excluded.test(file)) continue;
    const { code } = transformSync(readFileSync(join(root, file), 'utf8'), {
      filename: file,
      configFile: false,
      swcrc: false,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2024', transform: { verbatimModuleSyntax: true } },
    });
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), code);
  }
  return copy;
}
