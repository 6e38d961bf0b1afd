import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const bench = dirname(import.meta.dirname);
const node = join(bench, '..', 'node_modules', '.bin', 'node');
let root = '';

/** Runs the real harness in a folder of its own that holds these benches. */
function run(name: string, benches: Readonly<Record<string, string>>) {
  for (const [file, source] of Object.entries(benches)) writeFileSync(join(root, 'bench', `${file}.ts`), source);
  const { status, stdout, stderr } = spawnSync(node, [join(root, 'bench', 'run.ts'), name], {
    encoding: 'utf8',
    timeout: 30_000,
  });
  const file = join(root, 'bench', 'results', `${name}.json`);
  return { status, stdout, stderr, result: existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined };
}

const returning = (figures: string) => `export default async () => [${figures}];\n`;
const imports = `import { atLeast, atMost, observed } from './runner/figure.ts';\n`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  mkdirSync(join(root, 'bench'));
  writeFileSync(join(root, 'package.json'), '{"type":"module"}');
  cpSync(join(bench, 'run.ts'), join(root, 'bench', 'run.ts'));
  cpSync(join(bench, 'runner'), join(root, 'bench', 'runner'), { recursive: true });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('make bench', () => {
  it('writes the figures and succeeds when every bar holds', () => {
    const source =
      imports + returning(`atMost('start', 5, 's', 5), atLeast('rate', 9, '1/s', 9), observed('size', 3, 'MB')`);
    const { status, stdout, result } = run('start', { start: source });
    expect(status).toBe(0);
    expect(result).toEqual({
      bench: 'start',
      commit: 'unknown',
      figures: [
        { name: 'start', value: 5, unit: 's', bar: '<= 5', holds: true },
        { name: 'rate', value: 9, unit: '1/s', bar: '>= 9', holds: true },
        { name: 'size', value: 3, unit: 'MB' },
      ],
    });
    expect(stdout).toContain('| start | 5 | s | <= 5 | yes |');
  });

  it.each([
    ['a value over its bar', `atMost('start', 5.1, 's', 5)`, 'start is 5.1 s, its bar is <= 5'],
    ['a value under its bar', `atLeast('rate', 8, '1/s', 9)`, 'rate is 8 1/s, its bar is >= 9'],
    ['no figure', '', 'the bench measured nothing'],
    ['a value that is not a number', `observed('rate', 0 / 0, '1/s')`, 'rate is NaN, not a number'],
    ['a bar nobody judged', `{ name: 'rate', value: 1, unit: '', bar: '<= 1' }`, 'rate has a bar or a judgement'],
  ])('fails for %s, and keeps the result', (_, figures, reason) => {
    const { status, stderr, result } = run('start', { start: imports + returning(figures) });
    expect(status).toBe(1);
    expect(stderr).toContain(reason);
    expect(result.bench).toBe('start');
  });

  it.each([
    ['nowhere', 'There is no bench named "nowhere". Benches: start'],
    ['run', 'There is no bench named "run"'],
    ['../start', 'There is no bench named "../start"'],
    ['', 'There is no bench named ""'],
  ])('refuses the name "%s"', (name, reason) => {
    const { status, stderr } = run(name, { start: returning('') });
    expect(status).toBe(2);
    expect(stderr).toContain(reason);
  });

  it('fails and writes nothing when the bench throws', () => {
    const { status, stderr, result } = run('start', {
      start: `export default async () => { throw new Error('the balancer did not start'); };\n`,
    });
    expect(status).toBe(2);
    expect(stderr).toContain('bench start: the balancer did not start');
    expect(result).toBeUndefined();
  });

  it('refuses a file that exports no bench', () => {
    const { status, stderr } = run('start', { start: 'export const start = 1;\n' });
    expect(status).toBe(2);
    expect(stderr).toContain('bench/start.ts exports no function by default');
  });

  it('names the commit, and whether the work tree differs from it', () => {
    const git = (...args: string[]) => {
      const identity = ['-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false'];
      return spawnSync('git', [...identity, ...args], { cwd: root, encoding: 'utf8', timeout: 30_000 }).stdout.trim();
    };
    const source = imports + returning(`observed('size', 3, 'MB')`);
    writeFileSync(join(root, 'bench', 'size.ts'), source);
    writeFileSync(join(root, '.gitignore'), 'bench/results/\n');
    git('init', '--quiet');
    git('add', '--all');
    git('commit', '--quiet', '--message', 'first');
    git('tag', '--annotate', '--message', 'a tag', 'v1');
    const commit = git('rev-parse', 'HEAD');
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    expect(run('size', {}).result.commit).toBe(commit);
    expect(run('size', { size: `${source}\n` }).result.commit).toBe(`${commit}-dirty`);
  });
});
