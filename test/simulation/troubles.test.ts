/** Seeds in which a revision falls ill, or somebody changes something by hand, in the middle of a release: one of each kind. */
import { TROUBLES_EXPECTED } from './coverage.ts';
import { holdsInvariants } from './hold-invariants.ts';
import { FIRST_TROUBLED, TROUBLED } from './on-the-way.ts';

holdsInvariants(FIRST_TROUBLED, TROUBLED, 2 * TROUBLED, TROUBLES_EXPECTED);
