import type { ConfigDiff } from './config-diff.ts';
import { digestOf } from './digest.ts';
import type { Environment } from './environment.ts';
import { FailureType, type InputError } from './failures.ts';
import { type Freeze, freezeSentence, freezesOn } from './freeze.ts';
import { releaseTag } from './image-tag.ts';
import type { Manifest } from './manifest.ts';
import { MOST_STEPS, type Plan, type PlanVeto, type Running, type Step, type StepDraft } from './plan.ts';
import { changesOf } from './plan-changes.ts';
import { firstShift, strategySteps } from './strategies.ts';
import { type Veto, vetoOn, vetoSentence } from './veto.ts';

/** Everything a plan rests on. */
export interface PlanInput {
  readonly manifest: Manifest;
  readonly manifestDigest: string;
  readonly commit: string;
  readonly configVersion: number;
  /** Every configured environment. */
  readonly environments: readonly Environment[];
  /** What serves in each environment now; absent where nothing does. */
  readonly running: Readonly<Record<string, Running>>;
  /** How the configuration differs from the one that serves; absent where it does not. */
  readonly configDiff: Readonly<Record<string, ConfigDiff>>;
  /** Vetoes in each environment now; absent where there are none. */
  readonly vetoes: Readonly<Record<string, readonly Veto[]>>;
  /** Freezes that hold now, of whatever; none where nobody needs to be told. */
  readonly freezes: readonly Freeze[];
  /** The last environment of the way; absent for the manifest's last one. */
  readonly until?: string;
  /** Id of the bundle when it was built before, by another release; absent when it is still to be built. */
  readonly bundle?: string;
}

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly type: FailureType; readonly errors: readonly InputError[] };

/**
 * The steps from a commit to the last environment of the way. Integration environments get the new revision whole and
 * are tested; before the first production environment the tested image gets its release tag; production is brought over
 * by the manifest's strategy where something serves already. Pure: the same input gives the same plan and digest.
 */
export function makePlan(input: PlanInput): PlanResult {
  const { manifest, until } = input;
  const errors: InputError[] = [];
  const known = new Map(input.environments.map((environment) => [environment.name, environment]));
  for (const { name } of manifest.environments) {
    if (!known.has(name)) {
      errors.push({
        path: `environments.${name}`,
        message: `is not configured; configured are ${[...known.keys()].join(', ')}`,
      });
    }
  }
  const last = until ?? manifest.environments.at(-1)?.name;
  const end = manifest.environments.findIndex(({ name }) => name === last);
  if (end < 0) {
    errors.push({ path: 'until', message: `"${last}" is not an environment of ${manifest.service}` });
  }
  if (errors.length > 0) return { ok: false, type: FailureType.UnknownEnvironment, errors };

  const untested = testsInProduction(manifest, known);
  if (untested.length > 0) return { ok: false, type: FailureType.ManifestInvalid, errors: untested };

  const way = manifest.environments.slice(0, end + 1);
  const drafts: StepDraft[] = input.bundle === undefined ? [{ kind: 'build' }] : [];
  let promoted = false;
  for (const { name: environment, instances: wanted } of way) {
    const running = input.running[environment];
    if (known.get(environment)?.tier === 'integration') {
      drafts.push(...integrationSteps(manifest, environment, wanted));
      continue;
    }
    if (!promoted) drafts.push({ kind: 'promote', tag: releaseTag(manifest.version) });
    promoted = true;
    drafts.push(...productionSteps(manifest, environment, wanted, running));
  }
  if (drafts.length > MOST_STEPS) {
    const message = `the plan would have ${drafts.length} steps, and at most ${MOST_STEPS} are allowed; use larger batches or fewer entries`;
    return { ok: false, type: FailureType.ManifestInvalid, errors: [{ path: 'release', message }] };
  }
  const steps = withIds(drafts);
  const from = Object.fromEntries(way.map(({ name }) => [name, input.running[name] ?? null]));
  const content = {
    service: manifest.service,
    version: manifest.version,
    commit: input.commit,
    manifestDigest: input.manifestDigest,
    configVersion: input.configVersion,
    from,
    steps,
    changes: changesOf(steps, from),
    configDiff: Object.fromEntries(way.map(({ name }) => [name, input.configDiff[name] ?? null])),
  };
  const vetoes = vetoesOn(way, input);
  const freezes = freezesOn(input.freezes, { environments: way.map(({ name }) => name), service: manifest.service });
  const beside = {
    ...(vetoes.length > 0 && { vetoes }),
    ...(freezes.length > 0 && {
      freezes: freezes.map((freeze) => ({ freeze, sentence: freezeSentence(freeze) })),
    }),
  };
  return { ok: true, plan: { ...content, ...beside, digest: digestOf(content) } };
}

/** Where a manifest names tests that would never run. It does not know of tiers, so no schema can say it. */
function testsInProduction({ tests }: Manifest, known: ReadonlyMap<string, Environment>): readonly InputError[] {
  return tests.flatMap(({ name, environments }) =>
    environments.flatMap((environment, index) =>
      known.get(environment)?.tier === 'production'
        ? [
            {
              path: `tests.${name}.environments[${index}]`,
              message: `${environment} is of tier production, where no tests run; name environments of tier integration`,
            },
          ]
        : [],
    ),
  );
}

function vetoesOn(way: Manifest['environments'], { bundle, vetoes }: PlanInput): readonly PlanVeto[] {
  return way.flatMap(({ name: environment }) => {
    const veto = bundle === undefined ? undefined : vetoOn(vetoes[environment], bundle);
    return veto === undefined ? [] : [{ environment, veto, sentence: vetoSentence(environment, veto) }];
  });
}

function integrationSteps(manifest: Manifest, environment: string, instances: number): StepDraft[] {
  const suites = manifest.tests.filter((test) => test.environments.includes(environment)).map((test) => test.name);
  const steps: StepDraft[] = [{ kind: 'deploy', environment, instances }];
  if (suites.length > 0) steps.push({ kind: 'test', environment, suites });
  return steps;
}

function productionSteps(
  { release }: Manifest,
  environment: string,
  wanted: number,
  running: Running | undefined,
): StepDraft[] {
  const { approvals, bakeSeconds } = release;
  // Autoscaling may have moved the number of instances: a release keeps the capacity that serves.
  const instances = Math.max(wanted, running?.instances ?? 0);
  return [
    ...(approvals.count > 0 ? [{ kind: 'approve', environment, ...approvals } as const] : []),
    ...(running ? strategySteps({ environment, instances, running, release }) : [firstShift(environment, instances)]),
    { kind: 'bake', environment, seconds: bakeSeconds },
    { kind: 'retire', environment },
  ];
}

function withIds(drafts: readonly StepDraft[]): Step[] {
  const names = drafts.map((draft) => ('environment' in draft ? `${draft.kind}-${draft.environment}` : draft.kind));
  const single = (name: string) => names.indexOf(name) === names.lastIndexOf(name);
  // The second shift in `prod` and the only one in `prod-2` must not meet.
  const taken = new Set(names.filter(single));
  return drafts.map((draft, index) => {
    const name = names[index] ?? draft.kind;
    if (single(name)) return { id: name, ...draft };
    let number = 1;
    while (taken.has(`${name}-${number}`)) number++;
    taken.add(`${name}-${number}`);
    return { id: `${name}-${number}`, ...draft };
  });
}
