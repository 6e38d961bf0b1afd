import { digestOf } from './digest.ts';
import type { Environment } from './environment.ts';
import { FailureType, type InputError } from './failures.ts';
import { releaseTag } from './image-tag.ts';
import type { CanarySpec, Manifest } from './manifest.ts';

/** The list of steps a release will take: plain data with a digest, which is what people approve. */
export interface Plan {
  readonly service: string;
  readonly version: string;
  readonly commit: string;
  readonly manifestDigest: string;
  /** Version in the config centre; 0 where the service has none. */
  readonly configVersion: number;
  /** The revision that served in each environment when the plan was made; null where none did. */
  readonly from: Readonly<Record<string, string | null>>;
  readonly steps: readonly Step[];
  /** `sha256:` of all other fields in canonical JSON. */
  readonly digest: string;
}

/** One entry of a plan. `id` is unique in the plan and stable over runs, such as `deploy-fat`. */
export type Step =
  | { readonly id: string; readonly kind: 'build' }
  | { readonly id: string; readonly kind: 'deploy'; readonly environment: string; readonly instances: number }
  | { readonly id: string; readonly kind: 'test'; readonly environment: string; readonly suites: readonly string[] }
  | { readonly id: string; readonly kind: 'promote'; readonly tag: string }
  | {
      readonly id: string;
      readonly kind: 'approve';
      readonly environment: string;
      readonly count: number;
      readonly expiresSeconds: number;
    }
  | ({ readonly id: string; readonly kind: 'canary'; readonly environment: string } & CanarySpec)
  | {
      readonly id: string;
      readonly kind: 'shift';
      readonly environment: string;
      /** Percent of traffic on the new revision after the step. */
      readonly weight: number;
      /** Instances of the new revision after the step. */
      readonly instances: number;
    }
  | { readonly id: string; readonly kind: 'bake'; readonly environment: string; readonly seconds: number }
  | { readonly id: string; readonly kind: 'retire'; readonly environment: string };

export type StepKind = Step['kind'];

/** What runs in an environment now, as far as a plan needs to know. */
export interface Running {
  readonly revision: string;
  readonly instances: number;
}

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
  /** The last environment of the way; absent for the manifest's last one. */
  readonly until?: string;
  /** True when the image was built before, by another release. */
  readonly built: boolean;
}

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan }
  | { readonly ok: false; readonly type: FailureType; readonly errors: readonly InputError[] };

/**
 * The steps from a commit to the last environment of the way. Integration environments get the new revision whole and
 * are tested; before the first production environment the tested image gets its release tag; production gets a
 * canary first where something serves already. Pure: the same input gives the same plan and digest.
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

  const way = manifest.environments.slice(0, end + 1);
  const steps: Step[] = input.built ? [] : [{ id: 'build', kind: 'build' }];
  let promoted = false;
  for (const { name: environment, instances: wanted } of way) {
    const running = input.running[environment];
    if (known.get(environment)?.tier === 'integration') {
      steps.push(...integrationSteps(manifest, environment, wanted));
      continue;
    }
    if (!promoted) steps.push({ id: 'promote', kind: 'promote', tag: releaseTag(manifest.version) });
    promoted = true;
    // Autoscaling may have moved the number of instances: a release keeps the capacity that serves.
    const instances = Math.max(wanted, running?.instances ?? 0);
    steps.push(...productionSteps(manifest, environment, instances, running !== undefined));
  }
  const content = {
    service: manifest.service,
    version: manifest.version,
    commit: input.commit,
    manifestDigest: input.manifestDigest,
    configVersion: input.configVersion,
    from: Object.fromEntries(way.map(({ name }) => [name, input.running[name]?.revision ?? null])),
    steps,
  };
  return { ok: true, plan: { ...content, digest: digestOf(content) } };
}

/** The environment a step acts in; undefined for steps that act in none. */
export function stepEnvironment(step: Step): string | undefined {
  return 'environment' in step ? step.environment : undefined;
}

/** True when no later step acts in the environment of the step at this index. */
export function isLastIn(steps: readonly Step[], index: number): boolean {
  const step = steps[index];
  const environment = step && stepEnvironment(step);
  return environment !== undefined && !steps.slice(index + 1).some((later) => stepEnvironment(later) === environment);
}

function integrationSteps(manifest: Manifest, environment: string, instances: number): Step[] {
  const suites = manifest.tests.filter((test) => test.environments.includes(environment)).map((test) => test.name);
  const steps: Step[] = [{ id: `deploy-${environment}`, kind: 'deploy', environment, instances }];
  if (suites.length > 0) steps.push({ id: `test-${environment}`, kind: 'test', environment, suites });
  return steps;
}

function productionSteps(manifest: Manifest, environment: string, instances: number, replaces: boolean): Step[] {
  const { approvals, canary, batches, bakeSeconds } = manifest.release;
  const steps: Step[] = [];
  if (approvals.count > 0) steps.push({ id: `approve-${environment}`, kind: 'approve', environment, ...approvals });
  if (replaces) {
    steps.push({
      id: `canary-${environment}`,
      kind: 'canary',
      environment,
      ...canary,
      instances: Math.min(canary.instances, instances),
    });
  }
  // Without an old revision there is nothing to compare with and nothing to share traffic with.
  for (const weight of replaces ? batches : [100]) {
    steps.push({
      id: `shift-${environment}-${weight}`,
      kind: 'shift',
      environment,
      weight,
      instances: Math.ceil((instances * weight) / 100),
    });
  }
  steps.push({ id: `bake-${environment}`, kind: 'bake', environment, seconds: bakeSeconds });
  steps.push({ id: `retire-${environment}`, kind: 'retire', environment });
  return steps;
}
