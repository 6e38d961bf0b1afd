import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');

/** A small wrong change to the code that runs in workflows, which the invariants must notice. */
export interface Mutant {
  readonly name: string;
  readonly file: string;
  /** Text of the source that occurs once, and what stands there instead. */
  readonly changes: readonly { readonly from: string; readonly to: string }[];
  /** A seed that is known to notice it, tried first. */
  readonly seed: number;
}

const change = (
  file: string,
  name: string,
  seed: number,
  ...pairs: readonly (readonly [string, string])[]
): Mutant => ({
  name,
  file,
  seed,
  changes: pairs.map(([from, to]) => ({ from, to })),
});

/** What is easily got wrong in an engine of this kind. */
export const MUTANTS: readonly Mutant[] = [
  change('domain/approval.ts', 'approves another plan than the one that waits', 1, [
    'if (planDigest !== pending.planDigest) {',
    'if (planDigest === "") {',
  ]),
  change('domain/approval.ts', 'lets the requester approve', 1, [
    'if (by === pending.requestedBy) {',
    'if (by === "") {',
  ]),
  change('workflows/release-run.ts', 'goes on without approvals', 1, [
    '() => approvalsOf(step, this.record.approvals).length >= count || this.controls.isSkipped(step),',
    '() => count > 0,',
  ]),
  change(
    'workflows/shift.ts',
    'moves weight before capacity',
    1,
    [
      '      await moveTraffic(stage, target.weight, target.baseline);\n      await removeBaseline(stage, target.baseline);',
      '      await removeBaseline(stage, target.baseline);',
    ],
    [
      "    case 'up-first':\n",
      "    case 'up-first':\n      stage.instances = target.instances;\n      await moveTraffic(stage, target.weight, target.baseline);\n      stage.instances = 0;\n",
    ],
  ),
  change('workflows/shift.ts', 'stops old instances before their traffic is gone', 2, [
    '      await moveTraffic(stage, target.weight, target.baseline);\n      await removeBaseline(stage, target.baseline);\n      await keepBefore(stage, target.keep);',
    '      await keepBefore(stage, target.keep);\n      await moveTraffic(stage, target.weight, target.baseline);\n      await removeBaseline(stage, target.baseline);',
  ]),
  change('workflows/canary.ts', 'takes no notice of a verdict that fails', 1, [
    "  if (verdict.result === 'fail') throw ApplicationFailure.nonRetryable(verdict.sentence, FailureType.CanaryFailed);",
    "  if (verdict.result === 'fail') return { ...verdict, result: 'pass' };",
  ]),
  change('workflows/canary.ts', 'takes an undecided judge for one that is content', 1, [
    "    if (verdict.result === 'pass') return verdict;",
    '    return verdict;',
  ]),
  change('workflows/canary.ts', 'does not hold', 1, [
    "    endedBy: 'time, the judge when it sees harm, or a person who skips it',\n    seconds,",
    "    endedBy: 'time, the judge when it sees harm, or a person who skips it',\n    seconds: 0.001,",
  ]),
  change('workflows/restore.ts', 'forgets the configuration on the way back', 1, [
    'const config = { from: stage.bundle.configVersion, to: before.configVersion ?? current.bundle.configVersion };',
    'const config = { from: 0, to: 0 };',
  ]),
  change('workflows/restore.ts', 'forgets the bounds on the way back', 1, [
    'config, before.bounds);',
    'config, stage.bounds);',
  ]),
  change('workflows/restore.ts', 'leaves the name of what is gone', 1, ['`).unbindName(where);', '`);']),
  change('workflows/restore.ts', 'goes back without moving the traffic', 1, [
    '    await directTraffic(restore, current.spec, [\n      { revision: current.revision, share: 100, instances: current.instances },\n    ]);\n',
    '',
  ]),
  change('workflows/restore.ts', 'goes back with one instance', 1, [
    '    await scaleRevision(restore, current.spec, current.instances);',
    '    await scaleRevision(restore, current.spec, 1);',
  ]),
  change('workflows/restore.ts', 'leaves the new revision behind on the way back', 1, [
    '  await removeRevision(restore, stage.spec);',
    '',
  ]),
  change('workflows/restore.ts', 'leaves fresh instances behind on the way back', 1, [
    '  if (baseline) await removeRevision(restore, baseline);',
    '  if (!baseline) return removeRevision(restore, stage.spec);',
  ]),
  change('workflows/shift.ts', 'leaves fresh instances behind on the way forward', 1, [
    '  if (target || !stage.baseline || !spec) return;',
    '  if (target || !stage.baseline || spec) return;',
  ]),
  change('workflows/shift.ts', 'leaves the revision before', 1, [
    '      removeRevision(change, current.spec),\n    ),\n  );',
    '      Promise.resolve(),\n    ),\n  );',
  ]),
  change('workflows/steps.ts', 'does not bake', 1, [
    '      seconds: step.seconds,\n      atDeadline: before',
    '      seconds: 0.001,\n      atDeadline: before',
  ]),
  change('workflows/steps.ts', 'forgets to tag what was tested', 1, [
    '.promoteImage({ image: run.bundle.image, tag: step.tag });',
    '.promoteImage({ image: run.bundle.image, tag: "other" });',
  ]),
  change('workflows/stage.ts', 'tells the lane of the revision before', 1, [
    '    revision: stage.spec.revision,\n    bundle: stage.bundle,',
    '    revision: before.current?.revision ?? stage.spec.revision,\n    bundle: stage.bundle,',
  ]),
  change('workflows/release-run.ts', 'keeps the lanes of what was undone', 1, [
    '    for (const environment of [...this.asked.keys()]) await this.leave(environment);\n',
    '',
  ]),
  change('workflows/release-run.ts', 'ends without the ledger', 1, [
    '    await CancellationScope.nonCancellable(() => this.book.write(this.record));\n',
    '',
  ]),
  change('workflows/options.ts', 'goes back beside what still goes forward', 1, [
    '    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,\n  };\n}',
    '    cancellationType: ActivityCancellationType.TRY_CANCEL,\n  };\n}',
  ]),
  change('workflows/wait.ts', 'waits without saying until when', 1, [
    'deadline: deadline.toISOString() }',
    'deadline: since.toISOString() }',
  ]),
];

/** The source of a mutant's file, changed. @throws when the file is not what the mutant was made for */
export function mutated({ changes, file, name }: Mutant): string {
  return changes.reduce(
    (source, { from, to }) => {
      const parts = source.split(from);
      if (parts.length !== 2) throw new Error(`${name}: ${file} has ${parts.length - 1} places that read: ${from}`);
      return parts.join(to);
    },
    readFileSync(join(ROOT, file), 'utf8'),
  );
}
