import { jest } from '@jest/globals';
import { playGolden } from '../conformance/marathon/golden-play.ts';
import { bridgedEngine } from './mesos-engine.ts';

/** A record of a real Marathon 1.11.26 with Docker tasks: on a bridge, without their image, on the host's network. */

jest.setTimeout(60_000);

playGolden('docker-bridge', {
  prepare: async () => {
    const engine = await bridgedEngine('demo:1');
    return { stage: { mesos: { docker: { socketPath: engine.socketPath } } }, stop: () => engine.stop() };
  },
  // Between two failures is time to ask.
  stage: { marathon: { secondMs: 2_000 } },
});
