/** More seeds, in a file of their own so that they run beside the first ones. */
import { holdsInvariants } from './hold-invariants.ts';

holdsInvariants(66, 65, 150);
