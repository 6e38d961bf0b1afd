/** What the worker of the bench runs: all of Slipway's workflows, and one that only calls activities. */
import { proxyActivities } from '@temporalio/workflow';
import { change } from '../../workflows/options.ts';

export * from '../../workflows/index.ts';

/** The least that so many calls cost: one after the other, by the same options, with nothing decided between them. */
export async function bare(calls: number): Promise<void> {
  const { nothing } = proxyActivities<{ nothing(): Promise<void> }>(change(30));
  for (let call = 0; call < calls; call++) await nothing();
}
