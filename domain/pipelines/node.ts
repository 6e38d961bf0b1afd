import type { CheckoutFacts, Stage } from './stage.ts';

/**
 * Stages of a Node service between checkout and image. Dependencies come exactly from the lockfile and their install
 * scripts do not run (they are the usual way in for a poisoned package); the image gets no development dependency.
 */
export function nodeStages(facts: CheckoutFacts, timeoutSeconds: number): Stage[] {
  const stages: Stage[] = [];
  if (facts.lockfile) stages.push({ stage: 'install', command: ['npm', 'ci', '--ignore-scripts'], timeoutSeconds });
  const test = facts.scripts.includes('test') ? ['npm', 'test'] : ['node', '--test'];
  stages.push({ stage: 'unit-test', command: test, timeoutSeconds });
  if (facts.scripts.includes('build')) {
    stages.push({ stage: 'package', command: ['npm', 'run', 'build'], timeoutSeconds });
  }
  if (facts.lockfile) {
    stages.push({ stage: 'prune', command: ['npm', 'prune', '--omit=dev', '--ignore-scripts'], timeoutSeconds });
  }
  return stages;
}
