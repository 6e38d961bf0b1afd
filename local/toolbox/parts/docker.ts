import type { Part } from '../part.ts';

/** How long an engine that is there may take to answer. */
const ANSWER_WITHIN_MS = 3000;

/** The engine that answers at DOCKER_HOST or the default socket, if one does. */
export async function runningEngine(): Promise<{ address: string; version: string } | undefined> {
  // Loaded only when asked for: setting the toolbox up must stay quick.
  const { default: Docker } = await import('dockerode');
  try {
    const { Version } = await new Docker({ timeout: ANSWER_WITHIN_MS }).version();
    return { address: process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock', version: Version };
  } catch {
    // No socket, no right to it, nobody behind it or no answer in time: in each case no engine for us.
    return undefined;
  }
}

/** The Docker engine; needed only where none answers already. */
export const docker = {
  name: 'docker',
  commands: ['dockerd'],
  minimum: '20.10.0',
  tells: { args: ['--version'], pattern: /Docker version ([^,\s]+)/ },
  source: {
    kind: 'Debian package',
    package: 'docker.io',
    units: ['docker.service', 'docker.socket', 'containerd.service'],
  },
  running: runningEngine,
} as const satisfies Part;
