import { jest } from '@jest/globals';
import { offer, withhold } from './marathon/agent-offers.ts';
import { AGENTS, playGolden } from './marathon/golden-play.ts';

/** Records of a real Marathon 1.11.26, and one of 1.9.109, whose subject is what the API answers. */

jest.setTimeout(60_000);

const CREATION = 2;
const AFTER_THE_QUEUE = 6;

playGolden('app-validation-errors', { deletesCreated: true });
// The recorder's Marathon waited for offers when it was asked for the queue.
playGolden('app-create-minimal', {
  before: async (index, stage) => {
    if (index !== CREATION && index !== AFTER_THE_QUEUE) return;
    for (const { name } of AGENTS) await (index === CREATION ? withhold : offer)(stage, name);
  },
});
playGolden('app-create-complete');
playGolden('app-embeds-and-filters');
playGolden('app-http-errors');
playGolden('system-endpoints');
playGolden('groups');
playGolden('v1.9-basics');
