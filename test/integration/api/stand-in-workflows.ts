/**
 * Workflows that keep the contract and do nothing else: what the API and the command line are tested against, so that
 * a test decides what a release does by the reference it asks for. The real ones have tests of their own.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  defineUpdate,
  setHandler,
  sleep,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { refuseApproval } from '../../../domain/approval.ts';
import { bundleOf } from '../../../domain/bundle.ts';
import {
  CONTROL_VERBS,
  type ControlSituation,
  missingPeople,
  refuseCommand,
  subjectOf,
} from '../../../domain/controls.ts';
import { digestOf } from '../../../domain/digest.ts';
import type { DriftView } from '../../../domain/drift-sentences.ts';
import { FailureType } from '../../../domain/failures.ts';
import { type Freeze, freezeSentence } from '../../../domain/freeze.ts';
import type { Plan, Step } from '../../../domain/plan.ts';
import type {
  ApprovalRecord,
  CommandRecord,
  ReleaseOutcome,
  ReleaseRequest,
  ReleaseView,
} from '../../../domain/release.ts';
import { refuseLift, type Veto, vetoOn, vetoSentence, withoutVeto } from '../../../domain/veto.ts';
import {
  abortUpdate,
  adoptUpdate,
  approveUpdate,
  type CommandInput,
  type ControlAnswer,
  type ControlInput,
  type LaneInput,
  laneQuery,
  liftVetoUpdate,
  type ReleaseInput,
  type ReleaseResult,
  type RollbackInput,
  rejectUpdate,
  releaseQuery,
  revertUpdate,
  rollbackUpdate,
  SearchAttribute,
} from '../../../workflows/contract.ts';

export { freezes } from '../../../workflows/freezes.ts';
export { rejudge, verifyAudit } from '../../../workflows/ledger.ts';

const STEPS: readonly Step[] = [
  { id: 'deploy-fat', kind: 'deploy', environment: 'fat', instances: 1 },
  { id: 'approve-prod', kind: 'approve', environment: 'prod', count: 1, expiresSeconds: 3600 },
];

function planOf(request: ReleaseRequest): Plan {
  const content = {
    service: request.service,
    version: '1.2.3',
    commit: request.source.kind === 'git' ? request.source.ref : request.source.bundle.commit,
    manifestDigest: `sha256:${'1'.repeat(64)}`,
    configVersion: request.configVersion ?? 0,
    from: { fat: null, prod: { revision: 'r1', instances: 2, configVersion: 0 } },
    steps: STEPS,
    changes: [],
    configDiff: { fat: null, prod: null },
  };
  return { ...content, digest: digestOf(content) };
}

/** So long the reference `leaving` takes to give its last lane back. */
const LEAVING_MS = 5_000;

/** Waits for an approval; the reference `quick` needs none, `broken` fails. */
export async function release({ request }: ReleaseInput): Promise<ReleaseResult> {
  const plan = planOf(request);
  const startedAt = new Date().toISOString();
  const approvals: ApprovalRecord[] = [];
  let ended: Pick<ReleaseView, 'outcome' | 'failure'> | undefined;
  const ref = request.source.kind === 'git' ? request.source.ref : '';
  if (ref === 'quick' || ref === 'writing') ended = { outcome: 'released' };
  if (ref === 'broken') {
    ended = {
      outcome: 'failed',
      failure: { type: FailureType.BuildFailed, message: 'npm test: 1 failed', step: 'build' },
    };
  }
  const view = (): ReleaseView => ({
    id: workflowInfo().workflowId,
    service: request.service,
    requestedBy: request.requestedBy,
    startedAt,
    version: plan.version,
    commit: plan.commit,
    plan,
    bundle: bundleOf({
      service: request.service,
      version: plan.version,
      commit: plan.commit,
      image: { repository: request.service, digest: `sha256:${'2'.repeat(64)}` },
      testImages: {},
      configVersion: plan.configVersion,
      manifestDigest: plan.manifestDigest,
    }),
    steps: [
      {
        id: 'deploy-fat',
        kind: 'deploy',
        environment: 'fat',
        outcome: 'done',
        startedAt,
        endedAt: startedAt,
        detail: 'r1 with 1 instance',
      },
      {
        id: 'approve-prod',
        kind: 'approve',
        environment: 'prod',
        outcome: ended || ref === 'leaving' ? 'done' : 'running',
        startedAt,
      },
    ],
    ...(ended
      ? { ...ended, endedAt: new Date().toISOString() }
      : {
          wait: {
            reason: 'approval',
            sentence: 'waiting for an approval of the plan',
            since: startedAt,
            endedBy: `one person other than ${request.requestedBy}`,
            deadline: new Date(Date.parse(startedAt) + 3_600_000).toISOString(),
            atDeadline: 'the release is undone',
          },
        }),
    approvals,
    verdicts: [],
    rollbacks: [],
  });
  const end = (outcome: ReleaseOutcome, type?: FailureType, message = '') => {
    ended ??= { outcome, ...(type === undefined ? {} : { failure: { type, message } }) };
  };
  setHandler(releaseQuery, view);
  setHandler(
    approveUpdate,
    ({ by, planDigest }) => {
      const approval = { by, step: 'approve-prod', planDigest, at: new Date().toISOString() };
      approvals.push(approval);
      end('released');
      return approval;
    },
    {
      validator: (approval) => {
        const refusal = refuseApproval(
          {
            step: 'approve-prod',
            planDigest: plan.digest,
            count: 1,
            requestedBy: request.requestedBy,
            deadline: '2100-01-01T00:00:00.000Z',
          },
          approvals,
          approval,
          new Date().toISOString(),
        );
        if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
      },
    },
  );
  let paused = false;
  const [, current] = STEPS;
  const said: CommandRecord[] = [];
  const situation = (): ControlSituation => ({
    ...{ requestedBy: request.requestedBy, plan, paused, said, skipped: new Set(), groups: [] },
    ...(current === undefined ? {} : { current }),
  });
  for (const name of Object.values(CONTROL_VERBS)) {
    setHandler(
      defineUpdate<ControlAnswer, [ControlInput]>(name),
      ({ by, reason }) => {
        paused = name === 'pause' || (paused && name !== 'resume');
        const about = subjectOf({ name }, situation());
        const at = new Date().toISOString();
        const command: CommandRecord = { name, by, reason, at, ...(about === undefined ? {} : { about }) };
        said.push(command);
        return { command, missing: missingPeople(name, situation()) };
      },
      {
        validator: (input) => {
          const refusal = refuseCommand({ name, ...input }, situation());
          if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
        },
      },
    );
  }
  setHandler(rejectUpdate, ({ by, reason }) => end('aborted', FailureType.ApprovalRejected, `${by}: ${reason}`));
  setHandler(abortUpdate, ({ by, reason }) => end('aborted', FailureType.Aborted, `${by}: ${reason}`));
  setHandler(rollbackUpdate, () => end('rolled-back'), {
    validator: (_command) => {
      if (ended || ref === 'undoing' || ref === 'leaving')
        throw ApplicationFailure.nonRetryable('it is over', FailureType.ReleaseOver);
    },
  });
  upsertSearchAttributes([{ key: SearchAttribute.Stage, value: 'approve-prod' }]);
  if (ref === 'leaving') {
    await sleep(LEAVING_MS);
    end('released');
  }
  await condition(() => ended !== undefined && ref !== 'writing');
  await condition(allHandlersFinished);
  const outcome = ended?.outcome ?? 'failed';
  upsertSearchAttributes([{ key: SearchAttribute.Outcome, value: outcome }]);
  return { outcome, view: view() };
}

/** Goes back at once; for the reason `slowly` never, for `in vain` it fails. */
export async function rollback(input: RollbackInput): Promise<ReleaseResult> {
  const at = new Date().toISOString();
  const outcome = input.reason === 'in vain' ? 'failed' : 'rolled-back';
  const view: ReleaseView = {
    id: workflowInfo().workflowId,
    service: input.service,
    requestedBy: input.requestedBy,
    startedAt: at,
    endedAt: at,
    outcome,
    steps: [
      {
        id: `rollback-${input.environment}`,
        kind: 'rollback',
        environment: input.environment,
        outcome: 'done',
        detail: `away from ${input.bundle}`,
      },
    ],
    approvals: [],
    verdicts: [],
    rollbacks: [{ environment: input.environment, reason: input.reason, decidedAt: at, doneAt: at }],
  };
  setHandler(releaseQuery, () => view);
  if (input.reason === 'slowly') await condition(() => false);
  upsertSearchAttributes([{ key: SearchAttribute.Outcome, value: outcome }]);
  return { outcome, view };
}

/** The reference `invalid` has a manifest with two errors, `frozen` meets a freeze; version 1.1.0 is vetoed in `prod`. */
export async function planRelease({ request }: ReleaseInput): Promise<Plan> {
  if (request.source.kind === 'git' && request.source.ref === 'invalid') {
    throw ApplicationFailure.nonRetryable('slipway.yaml has 2 errors', FailureType.ManifestInvalid, [
      { path: 'run.cpus', message: 'write a number above 0' },
      { path: 'release.canary[1].weight', message: 'write a percentage' },
    ]);
  }
  const { source } = request;
  if (source.kind === 'git' && source.ref === 'frozen') {
    const freeze: Freeze = { id: 'f1', scope: {}, by: 'bob', reason: 'audit', at: VETO.at };
    return { ...planOf(request), freezes: [{ freeze, sentence: freezeSentence(freeze) }] };
  }
  if (source.kind === 'git' || source.bundle.version !== '1.1.0') return planOf(request);
  const veto = { ...VETO, bundle: source.bundle.id };
  return { ...planOf(request), vetoes: [{ environment: 'prod', veto, sentence: vetoSentence('prod', veto) }] };
}

const VETO: Veto = {
  bundle: 'b-fedcba9876543210',
  version: '1.1.0',
  release: 'release/sample/k0',
  reason: 'errors of 9 %',
  at: '2026-01-02T03:04:05.678Z',
};

/** Stays; its current revision runs with a variable that must not leave by the API. */
export async function lane({ environment, service }: LaneInput): Promise<void> {
  const image = { repository: service, digest: `sha256:${'2'.repeat(64)}` };
  const bundle = {
    id: 'b-0123456789abcdef',
    service,
    version: '1.0.0',
    commit: 'c0ffee',
    image,
    testImages: {},
    configVersion: 0,
    manifestDigest: `sha256:${'1'.repeat(64)}`,
  };
  let vetoes: readonly Veto[] = [VETO];
  setHandler(
    liftVetoUpdate,
    ({ bundle }) => {
      const veto = vetoOn(vetoes, bundle);
      if (veto === undefined) throw new Error('it was there when the update was taken');
      vetoes = withoutVeto(vetoes, bundle);
      return veto;
    },
    {
      validator: ({ bundle }) => {
        const refusal = refuseLift(vetoes, bundle);
        if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
      },
    },
  );
  let drift: DriftView | undefined = {
    since: '2026-01-02T03:04:05.678Z',
    environment,
    differences: [
      {
        kind: 'scaled',
        sentence: 'r7 was scaled by hand: 5 instances, not 2',
        sentenceZh: 'r7 被手工伸缩：5 个实例，应为 2',
      },
    ],
  };
  for (const update of [adoptUpdate, revertUpdate]) {
    setHandler(
      update,
      (_command: CommandInput) => {
        // In fat somebody changes it again at once.
        if (environment !== 'fat') drift = undefined;
      },
      {
        validator: (_command: CommandInput) => {
          if (!drift) throw ApplicationFailure.nonRetryable('nothing was changed by hand', FailureType.NoDrift);
        },
      },
    );
  }
  setHandler(laneQuery, () => ({
    ...(drift && service !== 'sample' ? { drift } : {}),
    state: {
      environment,
      service,
      lastRevision: 7,
      vetoes,
      current: {
        revision: 'r7',
        bundle,
        instances: 2,
        spec: {
          environment,
          service,
          revision: 'r7',
          bundle: bundle.id,
          image: `registry/${service}@${image.digest}`,
          env: { PASSWORD: 'secret-of-the-service' },
          cpus: 0.1,
          memoryMiB: 64,
          healthPath: '/healthz',
          startSeconds: 30,
          instances: 2,
        },
      },
    },
    ...(service === 'sample' ? { holder: 'release/sample/k1' } : {}),
    queue: ['release/sample/k2'],
  }));
  await condition(() => false);
}
