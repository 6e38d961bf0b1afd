import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Rejudgement } from '../domain/judge/rejudge.ts';
import type { JudgePolicy } from '../domain/manifest.ts';
import { parseJudgePolicy } from '../domain/schemas/manifest.ts';
import { rejudgementsSchema } from '../domain/schemas/rejudge.ts';
import { type ActInContext, type Context, UsageError } from './context.ts';
import { ExitCode } from './exit-codes.ts';
import type { Language } from './messages.ts';
import { verdictEvidence } from './render-verdict.ts';

interface Say {
  readonly columns: readonly string[];
  readonly equal: string;
  readonly sameResult: string;
  differs(fields: readonly string[]): string;
  nothingJudged(release: string): string;
  judgedAlike(release: string, verdicts: number): string;
  judgedOtherwise(release: string, differing: number, verdicts: number): string;
  judgedByOther(versions: readonly number[], now: number): string;
  changedSince(release: string): string;
}

const SAY: Readonly<Record<Language, Say>> = {
  en: {
    columns: ['STEP', 'JUDGE', 'THEN', 'NOW', ''],
    equal: 'equal',
    sameResult: 'same result',
    differs: (fields) => `differs: ${fields.join(', ')}`,
    nothingJudged: (release) => `${release} has judged no canary`,
    judgedAlike: (release, verdicts) => `${release}: all ${verdicts} judged the same`,
    judgedOtherwise: (release, differing, verdicts) => `${release}: ${differing} of ${verdicts} judged otherwise`,
    judgedByOther: (versions, now) =>
      `judged by version ${versions.join(', ')} of the judge; this is version ${now}, so results and rules are compared`,
    changedSince: (release) =>
      `what the ledger keeps of ${release} was changed: the same figures always give the same verdict`,
  },
  zh: {
    columns: ['步骤', '判定器', '当时', '现在', ''],
    equal: '完全相同',
    sameResult: '结果相同',
    differs: (fields) => `不同：${fields.join('、')}`,
    nothingJudged: (release) => `${release} 没有判定过金丝雀`,
    judgedAlike: (release, verdicts) => `${release}：${verdicts} 次判定均相同`,
    judgedOtherwise: (release, differing, verdicts) => `${release}：${verdicts} 次判定中 ${differing} 次不同`,
    judgedByOther: (versions, now) =>
      `当时由判定器 ${versions.join('、')} 版判定；现在是 ${now} 版，故只比较结果与规则`,
    changedSince: (release) => `台账中 ${release} 的记录被改动过：相同数据总给出相同判定`,
  },
};

/** `slipway judge --replay`: judges every verdict of a release again, on the figures that the ledger keeps. */
export function addJudgeCommand(program: Command, act: ActInContext): void {
  program
    .command('judge')
    .description('judge the canary of a release again, from the figures that the ledger keeps')
    .requiredOption('--replay <release>', 'which release')
    .option('--policy <file>', 'what to hold it to instead, in the words of an entry of release.metrics')
    .action(
      act(async (context, options: { replay: string; policy?: string }) => {
        const name = context.releaseName(options.replay);
        const policy = options.policy === undefined ? undefined : readPolicy(options.policy);
        const body = policy === undefined ? {} : { policy };
        const path = `/v1/releases/${name}/rejudge`;
        const { verdicts } = await context.api.call(path, rejudgementsSchema, { method: 'POST', body });
        if (verdicts.length === 0) throw new UsageError(SAY[context.language].nothingJudged(name));
        context.print(table(context, verdicts, policy), { v: 1, release: name, verdicts });
        return tellDifferences(context, name, verdicts, policy);
      }),
    );
}

function table(context: Context, verdicts: readonly Rejudgement[], policy: JudgePolicy | undefined): string[] {
  const say = SAY[context.language];
  const outcome = ({ result, rule }: Rejudgement['before']) => `${context.say.verdicts[result]} (${rule})`;
  return context.table(
    say.columns,
    verdicts.map((verdict) => {
      const { before, differences, judge, now, step } = verdict;
      const same = isToTheLetter(verdict, policy) ? say.equal : say.sameResult;
      const compared = differences.length === 0 ? same : say.differs(differences);
      return [step ?? '-', judge ?? '-', outcome(before), outcome(now), compared];
    }),
  );
}

/** Whether everything was compared, and not result and rule only. */
function isToTheLetter({ before, now }: Rejudgement, policy: JudgePolicy | undefined): boolean {
  return policy === undefined && before.judgeVersion === now.judgeVersion;
}

function tellDifferences(
  context: Context,
  name: string,
  verdicts: readonly Rejudgement[],
  policy: JudgePolicy | undefined,
): ExitCode {
  const say = SAY[context.language];
  const differing = verdicts.filter(({ differences }) => differences.length > 0);
  for (const { now } of differing) {
    context.tell(`${context.say.verdict(now)}\n  ${verdictEvidence(now, context.say)}`);
  }
  const version = Math.max(...verdicts.map(({ now }) => now.judgeVersion));
  const others = new Set(verdicts.map(({ before }) => before.judgeVersion).filter((given) => given !== version));
  if (others.size > 0) context.tell(say.judgedByOther([...others], version));
  const changed = differing.some(
    (verdict) => isToTheLetter(verdict, policy) || verdict.differences.includes('inputHash'),
  );
  if (changed) context.tell(say.changedSince(name));
  const all = verdicts.length;
  context.tell(differing.length === 0 ? say.judgedAlike(name, all) : say.judgedOtherwise(name, differing.length, all));
  return changed ? ExitCode.AuditBroken : ExitCode.Ok;
}

function readPolicy(path: string): JudgePolicy {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const reading = parseJudgePolicy(text);
  if (reading.ok) return reading.policy;
  throw new UsageError(reading.errors.map((error) => `${path}: ${error.path} ${error.message}`).join('\n'));
}
