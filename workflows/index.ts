/** Every workflow, under the name by which it is started. The bundle that workers run is made from this file. */
export { autoscale } from './autoscale.ts';
export { build } from './build.ts';
export { collectGarbage } from './collect-garbage.ts';
export { freezes } from './freezes.ts';
export { keepWritable } from './keep-writable.ts';
export { lane } from './lane.ts';
export { rejudge, verifyAudit } from './ledger.ts';
export { planRelease } from './prepare.ts';
export { release } from './release.ts';
export { rollback } from './rollback.ts';
