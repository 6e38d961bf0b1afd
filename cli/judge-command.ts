import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { rejudge } from '../domain/judge/rejudge.ts';
import type { Verdict } from '../domain/judge/verdict.ts';
import type { JudgePolicy } from '../domain/manifest.ts';
import { parseJudgePolicy } from '../domain/schemas/manifest.ts';
import { releaseSchema } from '../domain/schemas/release.ts';
import { type ActInContext, type Context, UsageError } from './context.ts';
import { ExitCode } from './exit-codes.ts';
import { verdictEvidence } from './render-verdict.ts';

/** `slipway judge --replay`: judges the canary of a release again, on the figures it was judged on. */
export function addJudgeCommand(program: Command, act: ActInContext): void {
  program
    .command('judge')
    .description('judge the canary of a release again, from the figures that were kept')
    .requiredOption('--replay <release>', 'which release')
    .option('--policy <file>', 'what to hold it to instead, in the words of an entry of release.metrics')
    .action(
      act(async (context, options: { replay: string; policy?: string }) => {
        const name = context.releaseName(options.replay);
        const policy = options.policy === undefined ? undefined : readPolicy(options.policy);
        const view = await context.api.call(`/v1/releases/${name}`, releaseSchema);
        const before = view.verdicts.at(-1);
        if (view.judged === undefined || before === undefined) throw new UsageError(context.say.nothingJudged(name));
        const verdict = rejudge(view.judged, policy);
        const { say } = context;
        context.print([say.verdict(verdict), `  ${verdictEvidence(verdict, say)}`], { v: 1, verdict, before });
        tellDifference(context, name, verdict, before);
        return ExitCode.Ok;
      }),
    );
}

function tellDifference(context: Context, name: string, verdict: Verdict, before: Verdict): void {
  const { say } = context;
  const [version, now] = [before.judgeVersion, verdict.judgeVersion];
  if (version !== now) context.tell(say.judgedByOther(version, now));
  const alike = before.result === verdict.result && before.rule === verdict.rule;
  context.tell(alike ? say.judgedAlike(name) : say.judgedOtherwise(name, say.verdict(before)));
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
