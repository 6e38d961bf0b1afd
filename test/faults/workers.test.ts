/** Workers hang or die in the middle of a release, and it goes on from where it was. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { answerOf } from '../../local/platform/answers.ts';
import { until } from '../../local/platform/until.ts';
import { type Clients, startClients } from './clients.ts';
import { startRelease } from './driven-release.ts';
import { type FaultPlatform, startFaultPlatform } from './fault-platform.ts';
import { expectSettled } from './final-state.ts';
import { builderPids } from './sandbox-processes.ts';

const PLATFORM_WITHIN_MS = 300_000;
/** Ten workers are killed in one; each bundles the workflows anew, half a minute long on a machine that is busy. */
const RELEASE_WITHIN_MS = 900_000;
/** Long enough for a builder to begin; one that hangs is replaced after it. */
const HANGS_FOR_SECONDS = 30;
/** The time of a builder runs on while no worker does, and there is an agent for one that is replaced once. */
const STARTS_WITHIN_SECONDS = 300;

const WAIT = { withinMs: 240_000, everyMs: 20 } as const;

const stateSchema = z.object({
  frameworks: z.array(z.object({ name: z.string() })),
  completed_frameworks: z.array(
    z.object({
      name: z.string(),
      completed_tasks: z.array(z.object({ name: z.string(), slave_id: z.string(), state: z.string() })),
    }),
  ),
});

describe('workers that hang or die', () => {
  let fault: FaultPlatform;
  let clients: Clients | undefined;

  beforeAll(async () => {
    fault = await startFaultPlatform({ builderStartSeconds: HANGS_FOR_SECONDS });
  }, PLATFORM_WITHIN_MS);

  afterAll(async () => {
    await clients?.end();
    await fault?.stop();
  }, PLATFORM_WITHIN_MS);

  const readState = async () => stateSchema.parse(JSON.parse(await answerOf(`${fault.platform.urls.mesos}/state`)));

  async function killWorker(): Promise<void> {
    const { orchestrator } = fault.platform.slipway;
    await orchestrator.kill9();
    await orchestrator.start();
  }

  /** Gives builders so much time to begin from now on. */
  async function giveBuilders(startSeconds: number): Promise<void> {
    const { configurationFile, slipway } = fault.platform;
    const document: { builder: { startSeconds: number } } = parse(readFileSync(configurationFile, 'utf8'));
    document.builder.startSeconds = startSeconds;
    writeFileSync(configurationFile, stringify(document));
    await slipway.orchestrator.restart();
  }

  /** The builders that have ended, as Mesos remembers them. */
  async function endedBuilders(): Promise<readonly { readonly slave_id: string; readonly state: string }[]> {
    const state = await readState();
    return state.completed_frameworks.flatMap(({ completed_tasks }) =>
      completed_tasks.filter(({ name }) => name.startsWith('build-')),
    );
  }

  it(
    'replace a builder that never takes work by one on another agent',
    async () => {
      fault.hangNextBuilder();
      const release = await startRelease(fault, { ref: await fault.push('first') });
      await release.reaches('approve-prod');
      await release.approve();

      expect(await release.ended()).toMatchObject({ outcome: 'released' });
      const builders = await endedBuilders();
      expect(builders.map(({ state }) => state)).toEqual(['TASK_KILLED', 'TASK_KILLED']);
      expect(new Set(builders.map(({ slave_id }) => slave_id)).size).toBe(2);
      await expectSettled(fault, { fat: { revision: 'r1', instances: 1 }, prod: { revision: 'r1', instances: 3 } });
    },
    RELEASE_WITHIN_MS,
  );

  it(
    'lose no step of a release when its worker is killed at the beginning of each, and its builder in a build',
    async () => {
      await giveBuilders(STARTS_WITHIN_SECONDS);
      clients = await startClients(fault.platform);
      const hangs = fault.file('hang-next-unit-test');
      writeFileSync(hangs, '');
      const before = await endedBuilders();
      const release = await startRelease(fault, {
        ref: await fault.push('good', { 'test/server.test.js': hangOnce(hangs) }),
      });
      await release.reaches('build');
      await killWorker();
      await until(
        'the unit tests to run',
        () => {
          if (existsSync(hangs)) throw new Error('they have not begun');
        },
        WAIT,
      );
      const running = builderPids(fault.platform);
      expect(running).toHaveLength(1);
      for (const pid of running) process.kill(pid, 'SIGKILL');

      // The step is over in a moment; this keeps it from being over before the worker is killed.
      const tagging = fault.registry.arm({ kind: 'hold', method: 'PUT', path: /\/manifests\/v/, times: 1 });
      for (const step of ['deploy-fat', 'test-fat', 'promote', 'approve-prod']) {
        await release.reaches(step);
        if (step === 'promote') await until('the tag to be on its way', () => expect(tagging.hits).toBe(1), WAIT);
        await killWorker();
        if (step === 'promote') tagging.disarm();
      }
      await release.approve();
      for (const step of ['shift-prod-1', 'hold-prod', 'shift-prod-2', 'bake-prod', 'retire-prod']) {
        await release.reaches(step);
        await killWorker();
      }

      expect(await release.ended()).toMatchObject({ outcome: 'released' });
      const builders = (await endedBuilders()).slice(before.length);
      expect(builders.map(({ state }) => state)).toEqual(['TASK_FAILED', 'TASK_KILLED']);
      expect(new Set(builders.map(({ slave_id }) => slave_id)).size).toBe(2);
      await expectSettled(fault, { fat: { revision: 'r2', instances: 1 }, prod: { revision: 'r2', instances: 3 } });
      await clients.expectUnharmed();
    },
    RELEASE_WITHIN_MS,
  );

  it(
    'leave nothing of a builder without a task when its worker is killed, and its release stopped at once',
    async () => {
      await fault.marathon.set({ offersWithheld: true });
      const release = await startRelease(fault, { ref: await fault.push('good') });
      await until(
        'a builder to be known to Mesos',
        async () => expect((await readState()).frameworks.map(({ name }) => name)).toContainEqual(BUILDER),
        WAIT,
      );
      await killWorker();
      // Nobody has noticed yet that the worker of the builder is dead, and nobody takes it up once it is stopped.
      await release.abort();
      expect(await release.ended()).toMatchObject({ outcome: 'aborted' });
      await fault.marathon.clear();
      await expectSettled(fault, { fat: { revision: 'r2', instances: 1 }, prod: { revision: 'r2', instances: 3 } });
    },
    RELEASE_WITHIN_MS,
  );
});

const BUILDER = expect.stringMatching(/^slipway builder /);

/** Changes to the unit tests by which those that take the file away never end. */
function hangOnce(file: string) {
  return [
    {
      find: "import { once } from 'node:events';",
      put: [
        "import { once } from 'node:events';",
        "import { existsSync, rmSync } from 'node:fs';",
        `const hangs = ${JSON.stringify(file)};`,
        'if (existsSync(hangs)) {',
        '  rmSync(hangs);',
        '  await new Promise((resolve) => setTimeout(resolve, 3_600_000));',
        '}',
      ].join('\n'),
    },
  ];
}
