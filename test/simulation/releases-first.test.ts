/** Seeded releases in a world full of faults: see `scenario.ts` for what happens, `*-invariants.ts` for what must hold. */
import { holdsInvariants } from './hold-invariants.ts';

holdsInvariants(1, 65, 150);
