import type { BuildSpec } from '../manifest.ts';
import { nodeStages } from './node.ts';
import type { CheckoutFacts, Stage } from './stage.ts';

/** The first stage of every pipeline; what it finds decides the others. */
export function checkoutStage(build: BuildSpec): Stage {
  return { stage: 'checkout', timeoutSeconds: build.timeoutSeconds };
}

/** The stages after the checkout. Each may take what the whole build may; the build ends with the whole time. */
export function pipelineStages(build: BuildSpec, facts: CheckoutFacts): readonly Stage[] {
  const { timeoutSeconds } = build;
  const language = build.pipeline === 'node' ? nodeStages(facts, timeoutSeconds) : [];
  return [...language, { stage: 'image', timeoutSeconds }, { stage: 'push', timeoutSeconds }];
}
