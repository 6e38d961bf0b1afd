/**
 * One step of a build, as data. A stage with a command runs it in the checkout; `checkout`, `image` and `push` have
 * none: the builder does them itself.
 */
export interface Stage {
  readonly stage: StageName;
  /** Program and arguments, no shell. */
  readonly command?: readonly string[];
  /** Longest time for this stage. */
  readonly timeoutSeconds: number;
}

export type StageName = 'checkout' | 'install' | 'unit-test' | 'package' | 'prune' | 'image' | 'push';

/** What a checkout holds that decides which stages there are. */
export interface CheckoutFacts {
  /** There is a `package-lock.json`. */
  readonly lockfile: boolean;
  /** Names of the scripts in `package.json`. */
  readonly scripts: readonly string[];
}
