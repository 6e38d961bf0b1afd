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
  change('workflows/approvals.ts', 'goes on without approvals', 1, [
    'const isEnough = () => approvalsOf(step, record.approvals).length >= count || controls.isSkipped(step);',
    'const isEnough = () => count > 0;',
  ]),
  change(
    'workflows/shift.ts',
    'moves weight before capacity',
    2,
    [
      '      await moveTraffic(stage, target.weight, target.baseline);\n      await removeBaseline(stage, target.baseline);',
      '      await removeBaseline(stage, target.baseline);',
    ],
    [
      "    case 'up-first':\n",
      "    case 'up-first':\n      stage.instances = target.instances;\n      await moveTraffic(stage, target.weight, target.baseline);\n      stage.instances = 0;\n",
    ],
  ),
  change('workflows/shift.ts', 'stops old instances before their traffic is gone', 28, [
    '      await moveTraffic(stage, target.weight, target.baseline);\n      await removeBaseline(stage, target.baseline);\n      await keepBefore(stage, target.keep);',
    '      await keepBefore(stage, target.keep);\n      await moveTraffic(stage, target.weight, target.baseline);\n      await removeBaseline(stage, target.baseline);',
  ]),
  change('workflows/canary.ts', 'takes no notice of a verdict that fails', 58, [
    "  if (verdict.result === 'fail') throw ApplicationFailure.nonRetryable(verdict.sentence, FailureType.CanaryFailed);",
    "  if (verdict.result === 'fail') return { ...verdict, result: 'pass' };",
  ]),
  change('workflows/canary.ts', 'takes an undecided judge for one that is content', 14, [
    "    if (verdict.result === 'pass') return verdict;",
    '    return verdict;',
  ]),
  change('workflows/canary.ts', 'does not hold', 4, [
    "    endedBy: 'time, the judge when it sees harm, or a person who skips it',\n    seconds,",
    "    endedBy: 'time, the judge when it sees harm, or a person who skips it',\n    seconds: 0.001,",
  ]),
  change('workflows/restore.ts', 'forgets the configuration on the way back', 5, [
    'const config = configBack(stage);\n    await bind',
    'const config = { from: 0, to: 0 };\n    await bind',
  ]),
  change('workflows/restore.ts', 'forgets the bounds on the way back', 21, [
    'config, before.bounds);',
    'config, stage.bounds);',
  ]),
  change('workflows/restore.ts', 'leaves the name of what is gone', 12, [
    '`).unbindName(where);',
    '`).unbindName.name;',
  ]),
  change('workflows/restore.ts', 'goes back without moving the traffic', 21, [
    'const warm = await trafficBackAtOnce(stage, current);',
    'const warm = true;',
  ]),
  change('workflows/restore.ts', 'goes back with one instance', 21, [
    'await instancesBack(stage, current);',
    'await instancesBack(stage, { ...current, instances: 1 });',
  ]),
  change('workflows/restore.ts', 'leaves the new revision behind on the way back', 21, [
    '  await removeRevision(restore, stage.spec);',
    '',
  ]),
  change('workflows/restore.ts', 'leaves fresh instances behind on the way back', 8, [
    '  if (baseline) await removeRevision(restore, baseline);',
    '  if (!baseline) return removeRevision(restore, stage.spec);',
  ]),
  change('workflows/shift.ts', 'leaves fresh instances behind on the way forward', 4, [
    '  if (target || !stage.baseline || !spec) return;',
    '  if (target || !stage.baseline || spec) return;',
  ]),
  change('workflows/shift.ts', 'leaves the revision before', 2, [
    '      removeRevision(change, current.spec),\n    ),\n  );',
    '      Promise.resolve(),\n    ),\n  );',
  ]),
  change('workflows/steps.ts', 'does not bake', 1, [
    '    seconds: step.seconds,\n    atDeadline: before',
    '    seconds: 0.001,\n    atDeadline: before',
  ]),
  change('workflows/steps.ts', 'forgets to tag what was tested', 1, [
    '.promoteImage({ image: run.bundle.image, tag: step.tag });',
    '.promoteImage({ image: run.bundle.image, tag: "other" });',
  ]),
  change('workflows/stage.ts', 'tells the lane of the revision before', 2, [
    '    revision: stage.spec.revision,\n    bundle: stage.bundle,',
    '    revision: before.current?.revision ?? stage.spec.revision,\n    bundle: stage.bundle,',
  ]),
  change('workflows/release-run.ts', 'keeps the lane when it is through', 1, [
    'await CancellationScope.nonCancellable(() => this.lanes.leave(stage.facts.name, stateAfter(stage)));',
    'stateAfter(stage);',
  ]),
  change('workflows/release-run.ts', 'ends without the ledger', 1, [
    '    await CancellationScope.nonCancellable(() => this.book.write(this.record));\n',
    '',
  ]),
  change('workflows/options.ts', 'goes back beside what still goes forward', 8, [
    '    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,\n  };\n}',
    '    cancellationType: ActivityCancellationType.TRY_CANCEL,\n  };\n}',
  ]),
  change('workflows/gate.ts', 'goes on although it is paused or frozen', 17, [
    'const obstacle = this.wordOf(environment) ?? this.windowOf(environment);',
    'const obstacle = this.windowOf(environment);',
  ]),
  change('workflows/gate.ts', 'forgets the windows', 31, [
    'const obstacle = this.wordOf(environment) ?? this.windowOf(environment);',
    'const obstacle = this.wordOf(environment);',
  ]),
  change('workflows/steps.ts', 'goes on without a way back', 21, [
    '  await wayBackReady(stage, target, run.record);\n',
    '',
  ]),
  change('workflows/release-run.ts', 'does what is not written down', 2, [
    '    // What is not written down does not happen.\n    await this.book.write(this.record);\n',
    '',
  ]),
  change('domain/controls.ts', 'lets one person skip the analysis', 14, [
    'const PEOPLE_TO_SKIP_ANALYSIS = 2;',
    'const PEOPLE_TO_SKIP_ANALYSIS = 1;',
  ]),
  change('workflows/lane.ts', 'lets in whoever would not wait', 27, [
    'admitted: false, ...busyWith(holder) }',
    'admitted: true, state }',
  ]),
  change('workflows/lane.ts', 'gives the lane to whoever supersedes at once', 20, [
    '      if (held) await tell(',
    '      if (held) holder = by;\n      if (held) await answer(by, { environment, admitted: true, state });\n      if (held) await tell(',
  ]),
  change('workflows/release-lanes.ts', 'goes on with a plan for what served before', 13, [
    'if (production) refuseDrift(before, prepared);',
    '',
  ]),
  change('workflows/release-run.ts', 'gives way although it has changed something', 20, [
    'if (!this.isForward || this.hasTouched) return;',
    'if (!this.isForward) return;',
  ]),
  change('domain/admission.ts', 'does not tell the holder that it is to give way', 34, [
    'tellHolder: holder !== undefined',
    'tellHolder: false',
  ]),
  change('workflows/release-health.ts', 'takes no notice of instances that fall ill', 136, [
    '    this.goBack({ type: FailureType.InstancesUnhealthy, message });\n',
    '',
  ]),
  change('domain/health.ts', 'gives instances no time to be replaced', 134, [
    'graceSeconds: startSeconds + REPLACED_SECONDS',
    'graceSeconds: startSeconds - startSeconds',
  ]),
  change('workflows/release-drift.ts', 'goes on beside instances that are ill', 131, [
    '    while (this.open || this.health.isAiling) {',
    '    while (this.open) {',
  ]),
  change('workflows/release-drift.ts', 'goes on beside what was changed by hand', 141, [
    '    while (this.open || this.health.isAiling) {',
    '    while (this.health.isAiling) {',
  ]),
  change('workflows/shift.ts', 'writes over what was changed by hand meanwhile', 143, [
    '  if (gate === OPEN_GATE || !before.current) return {};\n',
    '  if (gate !== undefined) return {};\n',
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
