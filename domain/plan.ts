import type { CanarySpec } from './manifest.ts';

/** The list of steps a release will take: plain data with a digest, which is what people approve. */
export interface Plan {
  readonly service: string;
  readonly version: string;
  readonly commit: string;
  readonly manifestDigest: string;
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
