/** The activities that run builders and test containers, on both kinds of Mesos with a real engine and registry. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ActivityCancellationDetails } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { type BuilderEnd, createRunBuilderActivities } from '../../activities/build/run-builder.ts';
import { DockerClient } from '../../activities/docker/client.ts';
import { OperatorClient } from '../../activities/mesos/operator-client.ts';
import { createTestingActivities } from '../../activities/testing/run-test.ts';
import type { ImageReference } from '../../domain/bundle.ts';
import { ensureBaseImage } from '../../local/base-image/base-image.ts';
import { dockerEngine } from '../../local/platform/docker.ts';
import { until } from '../../local/platform/until.ts';
import { ensureToolbox } from '../../local/toolbox/toolbox.ts';
import { describeOnEachMesos } from '../mesos-rig/describe-on-each-mesos.ts';
import { type RegistryRig, startRegistryRig } from './registry-rig.ts';

jest.setTimeout(240_000);

let registry: RegistryRig;
let engineSocket: string;
let docker: DockerClient;
let base: string;

beforeAll(async () => {
  registry = await startRegistryRig();
  const toolbox = await ensureToolbox(['docker'], () => {});
  const engine = await dockerEngine(registry.supervisor, toolbox);
  docker = new DockerClient(engine.socket);
  base = (await ensureBaseImage(registry.address)).reference;
  engineSocket = engine.socket;
});
afterAll(() => registry?.stop());

const environment = (info: ConstructorParameters<typeof MockActivityEnvironment>[0] = {}) =>
  new MockActivityEnvironment(info, { logger: new DefaultLogger('ERROR') });
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    (value) => ({ type: 'none', message: JSON.stringify(value), details: undefined as unknown }),
    (error: { type?: string; name: string; message: string; details?: unknown }) => ({
      type: error.type ?? error.name,
      message: error.message,
      details: error.details,
    }),
  );

/** An attempt of an activity, by its own id: attempts of one activity share it. */
const attempt = (activityId: string, heartbeatDetails?: unknown) =>
  environment({ activityId, ...(heartbeatDetails === undefined ? {} : { heartbeatDetails }) });

const setup = async () => ({
  agents: [
    { name: 'ci-1', attributes: 'role:ci' },
    { name: 'fat-1', attributes: 'env:fat' },
  ],
  dockerSocket: engineSocket,
});

describeOnEachMesos('activities', setup, (under) => {
  const place = () => join(registry.directory, under.kind);
  beforeAll(() => {
    mkdirSync(place());
  });

  /** Writes its pid, then waits to be told to leave. */
  const script = (mark: string) => `echo $$ > ${join(place(), mark)}; exec sleep 600`;
  const builders = (command: readonly string[], over: { attribute?: string; startSeconds?: number } = {}) =>
    createRunBuilderActivities({
      temporal: { address: '127.0.0.1:7233', namespace: 'default' },
      registry: { address: registry.address },
      mesos: { master: under.mesos.masterUrl },
      builder: {
        attribute: over.attribute ?? 'role:ci',
        command,
        docker: '/run/docker.sock',
        cpus: 0.1,
        memoryMiB: 32,
        startSeconds: over.startSeconds ?? 60,
      },
      services: { sample: { repository: '/nowhere/sample.git' } },
    });
  const order = (builderId: string, excludeAgents: readonly string[] = []) => ({
    builderId,
    service: 'sample',
    excludeAgents,
  });
  const pidOf = (mark: string) =>
    until(`the builder ${mark} to run`, () => readFileSync(join(place(), mark), 'utf8').trim() || pending(), {
      withinMs: 60_000,
    });
  const pending = (): never => {
    throw new Error('nothing written yet');
  };

  describe('runBuilder', () => {
    under.it('tells it to leave when it is cancelled, and returns with its end', async () => {
      const running = attempt('leave');
      const ended = running.run(builders(['sh', '-c', script('leave')]).runBuilder, order('leave'));
      const pid = await pidOf('leave');
      running.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
      expect(await ended).toEqual({
        agent: { id: expect.stringMatching(/\S/), address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
        state: 'TASK_KILLED',
        message: 'it was told to leave',
      });
      expect(existsSync(`/proc/${pid}`)).toBe(false);
    });

    under.it('tells how it ended by itself', async () => {
      const ended: BuilderEnd = await attempt('crash').run(builders(['sh', '-c', 'exit 3']).runBuilder, order('crash'));
      expect(ended).toMatchObject({ state: 'TASK_FAILED', message: expect.stringContaining('exit code 3') });
      expect(ended.agent?.id).toBeDefined();
      // The agent that it names is the one that can be left out.
      const elsewhere = builders(['true'], { startSeconds: 6 }).runBuilder;
      const none = await attempt('excluded').run(elsewhere, order('excluded', [ended.agent?.id ?? '']));
      expect(none).toEqual({ message: expect.stringContaining('the agent is excluded') });
    });

    under.it('returns without an agent when none fits in time', async () => {
      const nowhere = builders(['true'], { attribute: 'role:nobody', startSeconds: 2 });
      expect(await attempt('nowhere').run(nowhere.runBuilder, order('nowhere'))).toEqual({
        message: expect.stringContaining('role:nobody'),
      });
    });

    under.it('gets what it has to know', async () => {
      const file = join(place(), 'environment');
      await attempt('knows').run(builders(['sh', '-c', `env > ${file}`]).runBuilder, order('knows'));
      const lines = readFileSync(file, 'utf8').split('\n');
      expect(lines).toContain('SLIPWAY_BUILD_ID=knows');
      expect(lines).toContain(`SLIPWAY_REGISTRY=${registry.address}`);
      expect(lines.some((line) => line.startsWith('MESOS_SANDBOX=/'))).toBe(true);
    });

    under.it('goes on while its worker stops, and is taken up by the next attempt', async () => {
      const builder = builders(['sh', '-c', script('taken-up')]);
      const first = attempt('taken-up');
      let kept: unknown;
      first.on('heartbeat', (details: unknown) => {
        kept = details;
      });
      const left = failureOf(first.run(builder.runBuilder, order('taken-up')));
      const pid = await pidOf('taken-up');
      first.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
      expect(await left).toMatchObject({ type: 'SystemUnavailable' });
      expect(existsSync(`/proc/${pid}`)).toBe(true);

      const second = attempt('taken-up', kept);
      const ended = second.run(builder.runBuilder, order('taken-up'));
      second.cancel('CANCELLED', new ActivityCancellationDetails({ cancelRequested: true }));
      expect(await ended).toMatchObject({ state: 'TASK_KILLED' });
      expect(existsSync(`/proc/${pid}`)).toBe(false);
      expect(readFileSync(join(place(), 'taken-up'), 'utf8').trim()).toBe(pid);
    });
  });

  describe('endBuilder', () => {
    const frameworks = async () => {
      const { get_frameworks } = await new OperatorClient({
        master: under.mesos.masterUrl,
        timeoutMs: 20_000,
      }).getState();
      return get_frameworks.frameworks.map(({ framework_info }) => framework_info.name);
    };
    const leave = (running: ReturnType<typeof attempt>) =>
      running.cancel('WORKER_SHUTDOWN', new ActivityCancellationDetails({ workerShutdown: true }));
    const end = (builderId: string, activities: ReturnType<typeof builders>) =>
      attempt(`end-${builderId}`).run(activities.endBuilder, { activityId: builderId, order: order(builderId) });

    under.it('ends a builder that its own activity has left, and tells where it was', async () => {
      const activities = builders(['sh', '-c', script('left')]);
      const first = attempt('left');
      const left = failureOf(first.run(activities.runBuilder, order('left')));
      const pid = await pidOf('left');
      leave(first);
      expect(await left).toMatchObject({ type: 'SystemUnavailable' });
      expect(await frameworks()).toContain('slipway builder left');
      expect(await end('left', activities)).toEqual({
        agent: { id: expect.stringMatching(/\S/), address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
        state: 'TASK_KILLED',
        message: 'it was told to leave',
      });
      expect(existsSync(`/proc/${pid}`)).toBe(false);
      expect(await frameworks()).not.toContain('slipway builder left');
    });

    under.it('leaves no framework of one that had no task yet, also when it is called again', async () => {
      const activities = builders(['true'], { attribute: 'role:nobody' });
      const first = attempt('taskless');
      const left = failureOf(first.run(activities.runBuilder, order('taskless')));
      await until(
        'its framework is there',
        async () => (await frameworks()).includes('slipway builder taskless') || pending(),
        {
          withinMs: 30_000,
        },
      );
      leave(first);
      expect(await left).toMatchObject({ type: 'SystemUnavailable' });
      for (const _ of ['first', 'again']) {
        expect(await end('taskless', activities)).toEqual({ state: 'TASK_KILLED', message: 'it was told to leave' });
        expect(await frameworks()).not.toContain('slipway builder taskless');
      }
    });
  });

  describe('runTest', () => {
    const runTest = async (
      image: ImageReference,
      over: { suite?: string; timeoutSeconds?: number; agents?: string; offerTimeoutSeconds?: number } = {},
    ) => {
      const { agents = 'env:fat', offerTimeoutSeconds, suite = 'contract', timeoutSeconds = 60 } = over;
      const activities = createTestingActivities(
        {
          mesos: { master: under.mesos.masterUrl },
          registry: { address: registry.address },
          consul: { dns: '127.0.0.1:8600' },
          environments: { fat: { agentAttribute: agents, balancer: { port: 8001 } } },
        },
        offerTimeoutSeconds === undefined ? {} : { offerTimeoutSeconds },
      );
      const input = { environment: 'fat', service: 'sample', suite, image, timeoutSeconds };
      return attempt(`test-${Math.random()}`).run(activities.runTest, input);
    };

    /** An image whose only program is this script. */
    async function imageOf(name: string, program: string): Promise<ImageReference> {
      const context = join(place(), name);
      mkdirSync(context);
      writeFileSync(join(context, 'test.mjs'), program);
      writeFileSync(
        join(context, 'Dockerfile'),
        `FROM ${base}\nCOPY test.mjs /\nCMD ["/usr/local/bin/node", "/test.mjs"]\n`,
      );
      const repository = `sample/test/${name}`;
      const options = { signal: AbortSignal.timeout(60_000), onLog: () => {} };
      await docker.buildImage({
        context,
        dockerfile: 'Dockerfile',
        name: `${registry.address}/${repository}:one`,
        buildArgs: {},
        labels: {},
        time: 0,
        ...options,
      });
      await docker.pushImage({ repository: `${registry.address}/${repository}`, tag: 'one', ...options });
      const digest = (await registry.client.headManifest(repository, 'one'))?.digest;
      if (digest === undefined) throw new Error(`${repository} was not pushed`);
      return { repository, digest };
    }

    const REPORT = `import { writeFileSync } from 'node:fs';
    const { SLIPWAY_TARGET, SLIPWAY_DNS, SLIPWAY_ENVIRONMENT, MESOS_SANDBOX } = process.env;
    const report = (cases) => writeFileSync(MESOS_SANDBOX + '/junit.xml', '<testsuite>' + cases + '</testsuite>');`;

    under.it('gives the test the name of the service, and returns what it reported', async () => {
      const image = await imageOf(
        'passes',
        `${REPORT} report('<testcase name="' + [SLIPWAY_TARGET, SLIPWAY_DNS, SLIPWAY_ENVIRONMENT].join(' ') + '"/>'); console.log('all well');`,
      );
      expect(await runTest(image)).toEqual({
        tests: 1,
        failures: 0,
        skipped: 0,
        cases: [{ name: 'http://sample-fat.service.consul:8001 127.0.0.1:8600 fat', outcome: 'passed' }],
        logTail: expect.stringContaining('all well'),
      });
    });

    under.it('returns failures as a result', async () => {
      const image = await imageOf(
        'fails',
        `${REPORT} report('<testcase name="a"/><testcase name="b"><failure message="no price"/></testcase>'); process.exit(1);`,
      );
      expect(await runTest(image)).toMatchObject({
        tests: 2,
        failures: 1,
        cases: [{ name: 'b', outcome: 'failed', message: 'no price' }, { name: 'a' }],
      });
    });

    it.each([
      ['crashes', `console.error('out of luck'); process.exit(7);`, /left no junit\.xml/, 'out of luck', 60],
      [
        'dies-after',
        `${REPORT} report('<testcase name="a"/>'); process.exit(9);`,
        /reported no failure but ended with/,
        '',
        60,
      ],
      ['empty', `${REPORT} report('');`, /no test that ran/, '', 60],
      ['garbled', `${REPORT} report('<testcase');`, /can't be read/, '', 60],
      // Long enough for a busy machine to start it and to hear its first word.
      ['hangs', `console.log('waiting'); setInterval(() => {}, 1000);`, /did not end within 12 s/, 'waiting', 12],
    ])('does not take for a pass what %s', async (name, program, said, log, timeoutSeconds) => {
      const failure = await failureOf(runTest(await imageOf(name, program), { timeoutSeconds }));
      expect([failure.type, failure.message]).toEqual(['TestsFailed', expect.stringMatching(said)]);
      expect(failure.details).toEqual([{ suite: 'contract', logTail: expect.stringContaining(log) }]);
    });

    under.it('counts the time of a test only while it runs', async () => {
      const image = { repository: 'sample/test/nobody', digest: `sha256:${'0'.repeat(64)}` };
      const nowhere = { agents: 'role:nobody', offerTimeoutSeconds: 4, timeoutSeconds: 1 };
      expect(await failureOf(runTest(image, nowhere))).toMatchObject({ type: 'CapacityExhausted' });
    });

    under.it('calls a container that never ran a matter of the system, not of the tests', async () => {
      const image = { repository: 'sample/test/nobody', digest: `sha256:${'0'.repeat(64)}` };
      expect(await failureOf(runTest(image))).toMatchObject({ type: 'SystemUnavailable' });
    });
  });
});
