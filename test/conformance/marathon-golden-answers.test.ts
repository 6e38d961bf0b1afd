import { jest } from '@jest/globals';
import { playGolden } from './marathon/golden-play.ts';

/** Records of a real Marathon 1.11.26, and one of 1.9.109, whose subject is what the API answers. */

jest.setTimeout(60_000);

playGolden('app-validation-errors', { deletesCreated: true });
// The recorder's Marathon waited for offers; here calls to Mesos are slow instead.
playGolden('app-create-minimal', { stage: { mesosDelayMs: 500 } });
playGolden('app-create-complete');
playGolden('app-embeds-and-filters');
playGolden('app-http-errors');
playGolden('system-endpoints');
playGolden('groups');
playGolden('v1.9-basics');
