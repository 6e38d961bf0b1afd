/**
 * Temporal's Worker Deployment Versioning: a release ends in the workflow code it began in, by workers of that version;
 * lanes and other long-lived workflows move to the current one.
 */
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionLike, isGrpcServiceError } from '@temporalio/client';
import type { WorkerDeploymentOptions } from '@temporalio/worker';

/** gRPC's code of what is not there (yet). */
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
/** The version is known to Temporal when one of its workers has asked for work. */
const KNOWN_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 200;
const CALL_TIMEOUT_MS = 10_000;

/** One version of the workflow code in a deployment. */
export interface WorkerVersion {
  readonly deploymentName: string;
  readonly buildId: string;
}

/**
 * Names the workflow code below a folder: the same sources give the same name, on any machine.
 *
 * @returns 16 hex digits of the SHA-256 of all sources that a workflow's decisions are made of
 */
export function workflowBuildId(root: string): string {
  const hash = createHash('sha256');
  const sources = globSync(['workflows/**/*.ts', 'domain/**/*.ts'], { cwd: root });
  for (const file of sources.filter((name) => !name.endsWith('.test.ts')).sort()) {
    hash
      .update(`${file}\n`)
      .update(readFileSync(join(root, file)))
      .update('\n');
  }
  return hash.digest('hex').slice(0, 16);
}

/** How a worker says which version it is. Workflows that say nothing else stay with the version they began in. */
export function versionedWorker(version: WorkerVersion): WorkerDeploymentOptions {
  return { version, useWorkerVersioning: true, defaultVersioningBehavior: 'PINNED' };
}

/**
 * Makes a new version the current one, so that new runs begin in it. Once only: a version that was current before is
 * left as it is, so that an old worker that starts again takes nothing over, and an operator's choice stays.
 *
 * @returns true when it was made current now
 * @throws Error when Temporal does not know the version within a minute: none of its workers asks for work
 */
export async function becomeCurrent(
  connection: ConnectionLike,
  namespace: string,
  { deploymentName, buildId }: WorkerVersion,
): Promise<boolean> {
  const deadline = Date.now() + KNOWN_WITHIN_MS;
  while (Date.now() < deadline) {
    const found = await versionSummary(connection, namespace, { deploymentName, buildId });
    if (found?.firstActivationTime) return false;
    if (found && (await setCurrent(connection, namespace, { deploymentName, buildId }))) return true;
    await sleep(LOOK_EVERY_MS);
  }
  throw new Error(`Temporal knows no version ${buildId} of the deployment ${deploymentName} after a minute`);
}

async function versionSummary(connection: ConnectionLike, namespace: string, version: WorkerVersion) {
  try {
    const { workerDeploymentInfo } = await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      connection.workflowService.describeWorkerDeployment({ namespace, deploymentName: version.deploymentName }),
    );
    return workerDeploymentInfo?.versionSummaries?.find(
      ({ deploymentVersion }) => deploymentVersion?.buildId === version.buildId,
    );
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === NOT_FOUND) return undefined;
    throw error;
  }
}

/** False when another process changed the deployment at the same moment, or a task queue is not asked for work yet. */
async function setCurrent(connection: ConnectionLike, namespace: string, version: WorkerVersion): Promise<boolean> {
  try {
    await connection.withDeadline(Date.now() + CALL_TIMEOUT_MS, () =>
      connection.workflowService.setWorkerDeploymentCurrentVersion({ namespace, ...version }),
    );
    return true;
  } catch (error) {
    if (isGrpcServiceError(error) && (error.code === NOT_FOUND || error.code === FAILED_PRECONDITION)) return false;
    throw error;
  }
}
