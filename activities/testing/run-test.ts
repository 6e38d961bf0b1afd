/** The activity that runs a test container against a deployed service. */
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { type ImageReference, pullReference } from '../../domain/bundle.ts';
import { serviceDnsName } from '../../domain/environment.ts';
import { FailureType } from '../../domain/failures.ts';
import {
  type ActivityTask,
  endTaskOfActivity,
  type RunTaskProgress,
  type RunTaskResult,
  readTaskFile,
  runTaskInActivity,
} from '../mesos-task.ts';
import { readJunit, type TestReport } from './junit.ts';

/** The parts of Slipway's configuration that this needs; a part of `Configuration` as it is. */
export interface TestingConfig {
  readonly mesos: { readonly master: string };
  readonly registry: { readonly address: string };
  readonly consul: { readonly dns: string };
  readonly environments: Readonly<
    Record<string, { readonly agentAttribute: string; readonly balancer: { readonly port: number } }>
  >;
}

export interface TestRun extends TestReport {
  /** The end of what the container wrote. */
  readonly logTail: string;
}

/** Details of a `TestsFailed` of a container that left no report. */
export interface TestCrash {
  readonly suite: string;
  readonly logTail: string;
}

export type TestingActivities = ReturnType<typeof createTestingActivities>;

const CPUS = 0.1;
const MEMORY_MIB = 128;
/** How long the test may wait for an agent with room. */
const OFFER_TIMEOUT_SECONDS = 120;
const REPORT = 'junit.xml';
const LOG_BYTES = 16 * 1024;
const LOG_LINES = 100;

/** States with which Mesos says that the task did not come to its end because of the agent, not because of the test. */
const LOST_STATES: ReadonlySet<string> = new Set([
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNREACHABLE',
  'TASK_UNKNOWN',
]);

/** Reasons with which Mesos says that the container was never started, such as an image that could not be pulled. */
const NOT_STARTED = /CONTAINER_(LAUNCH|UPDATE)_FAILED|CONTAINER_PREEMPTED|EXECUTOR_REGISTRATION_TIMEOUT/;

/** Which test to run, and where. */
export interface TestOrder {
  readonly environment: string;
  readonly service: string;
  readonly suite: string;
  readonly image: ImageReference;
  /** Longest time that the container runs. */
  readonly timeoutSeconds: number;
}

/** @param offerTimeoutSeconds for tests */
export function createTestingActivities(config: TestingConfig, { offerTimeoutSeconds = OFFER_TIMEOUT_SECONDS } = {}) {
  function taskOf({ environment, service, suite, image, timeoutSeconds }: TestOrder): ActivityTask {
    const facts = config.environments[environment];
    if (facts === undefined) {
      throw ApplicationFailure.create({
        type: FailureType.UnknownEnvironment,
        nonRetryable: true,
        message: `no environment "${environment}" is configured; known: ${Object.keys(config.environments).join(', ')}`,
      });
    }
    const [attribute = '', ...value] = facts.agentAttribute.split(':');
    return {
      master: config.mesos.master,
      frameworkName: `slipway test ${service} ${suite} ${environment}`,
      task: {
        name: `test-${service}-${suite}-${environment}`,
        container: {
          type: 'DOCKER',
          docker: { image: pullReference(config.registry.address, image), network: 'HOST' },
        },
        environment: {
          SLIPWAY_TARGET: `http://${serviceDnsName(environment, service)}:${facts.balancer.port}`,
          SLIPWAY_DNS: config.consul.dns,
          SLIPWAY_ENVIRONMENT: environment,
        },
        resources: { cpus: CPUS, mem: MEMORY_MIB },
      },
      attributes: { [attribute]: value.join(':') },
      offerTimeoutMs: offerTimeoutSeconds * 1000,
      timeoutMs: timeoutSeconds * 1000,
    };
  }

  return {
    /**
     * Runs a test container on an agent of the environment, in the host's network. It gets `SLIPWAY_TARGET`, the URL
     * of the service by its DNS name; `SLIPWAY_DNS`, the `host:port` of the DNS server that knows the name; and
     * `SLIPWAY_ENVIRONMENT`. It writes JUnit XML to `$MESOS_SANDBOX/junit.xml`.
     *
     * Tests that failed are a result. Fails with `TestsFailed`, not retryable, when the container left no report, left
     * none that can be read or no test that ran, was not done in time, or ended with an error although its report has no failure; with
     * `SystemUnavailable` when it never ran or its agent was lost; with `CapacityExhausted`, retryable, when no agent
     * has room.
     */
    async runTest(order: TestOrder): Promise<TestRun> {
      const { suite, timeoutSeconds } = order;
      const end = await runTaskInActivity(taskOf(order));
      if (end.kind === 'ended') return judge(suite, end.result);
      if (end.because === 'cancelled') throw new CancelledFailure('the test was stopped');
      throw testsFailed(suite, `did not end within ${timeoutSeconds} s`, await readLog(end.progress));
    },

    /**
     * Ends what is left of a test whose activity returned no result, and returns when nothing is. Fails with
     * `UnknownEnvironment`, and with what Mesos fails with.
     */
    async endTest({ activityId, order }: { readonly activityId: string; readonly order: TestOrder }): Promise<void> {
      await endTaskOfActivity(activityId, taskOf(order));
    },
  };
}

async function judge(suite: string, result: RunTaskResult): Promise<TestRun> {
  const ended = `${result.state}${result.message === '' ? '' : `: ${result.message}`}`;
  const report = await readTaskFile(result, REPORT);
  if (report === undefined && (LOST_STATES.has(result.state) || NOT_STARTED.test(result.reason ?? ''))) {
    throw ApplicationFailure.create({
      type: FailureType.SystemUnavailable,
      message: `the test container ${suite} did not run: ${ended}; look at the agent ${result.agentUrl ?? result.agentId ?? ''}`,
    });
  }
  const logTail = await readLog(result);
  if (report === undefined)
    throw testsFailed(suite, `left no ${REPORT} in its sandbox; it ended with ${ended}`, logTail);
  const read = readJunit(report.toString('utf8'));
  if ('problem' in read) throw testsFailed(suite, `left a ${REPORT} that can't be read: ${read.problem}`, logTail);
  if (read.tests === read.skipped) throw testsFailed(suite, 'reported no test that ran', logTail);
  if (read.failures === 0 && result.state !== 'TASK_FINISHED') {
    // A report of passes by something that then crashed is no pass.
    throw testsFailed(suite, `reported no failure but ended with ${ended}`, logTail);
  }
  return { ...read, logTail };
}

/** The end of both streams. The log helps people; tests are not judged by it, so its absence is told, not raised. */
async function readLog(at: Pick<RunTaskProgress, 'agentUrl' | 'sandbox'> | undefined): Promise<string> {
  if (at === undefined) return '';
  const parts: string[] = [];
  for (const name of ['stdout', 'stderr']) {
    try {
      const text = (await readTaskFile(at, name))?.toString('utf8').trimEnd() ?? '';
      if (text !== '')
        parts.push(
          text
            .split('\n')
            .slice(-LOG_LINES)
            .join('\n')
            .slice(-LOG_BYTES / 2),
        );
    } catch (error) {
      parts.push(`(${name} could not be read: ${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return parts.join('\n');
}

function testsFailed(suite: string, how: string, logTail: string): ApplicationFailure {
  const details: TestCrash = { suite, logTail };
  return ApplicationFailure.create({
    type: FailureType.TestsFailed,
    nonRetryable: true,
    message: `the test container ${suite} ${how}`,
    details: [details],
  });
}
