import { createHash } from 'node:crypto';
import type { TrafficDocument } from '../../domain/traffic.ts';

/**
 * What the text of a rendered HAProxy configuration says, without understanding more of it than Slipway's template
 * (`deploy/balancer/haproxy.cfg.ctmpl`) writes: sections that start in the first column, and in a backend lines of the
 * form `server <revision>.<task> <address> weight <n> ...`.
 */

const WEIGHTED_SERVER = /^(\s+server (\S+) \S+ weight )(\d+)( .*)?$/;
const BACKEND = /^backend (\S+)\s*$/;

/**
 * A digest of everything that only a reload can change. Weights are left out: the runtime API sets them.
 */
export function structureDigest(configuration: string): string {
  const structure = mapServers(configuration, (_backend, _server, line) => line.replace(WEIGHTED_SERVER, '$1*$4'));
  return createHash('sha256').update(structure).digest('hex').slice(0, 16);
}

/**
 * The configuration with a description by which the running process can be told to have this very structure: it is
 * what `show info` answers as `description`. HAProxy joins several `global` sections.
 */
export function withDescription(configuration: string, description: string): string {
  return `${configuration.trimEnd()}\n\nglobal\n    description ${description}\n`;
}

/** The description of a structure. */
export const describeStructure = (digest: string): string => `slipway-structure-${digest}`;

/**
 * The configuration with the weights of these documents. A render may be a moment old while a shift goes on; the
 * documents are what counts. Backends without a document stay as they are.
 *
 * @param documents by backend
 */
export function withWeights(configuration: string, documents: ReadonlyMap<string, TrafficDocument>): string {
  return mapServers(configuration, (backend, server, line) => {
    const document = documents.get(backend);
    if (document === undefined) return line;
    const revision = server.split('.', 1)[0] ?? server;
    return line.replace(WEIGHTED_SERVER, `$1${document.weights[revision] ?? 0}$4`);
  });
}

/** The weights that the text gives to each backend's revisions. */
export function weightsIn(configuration: string): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const weights = new Map<string, Record<string, number>>();
  mapServers(configuration, (backend, server, line) => {
    const revision = server.split('.', 1)[0] ?? server;
    const known = weights.get(backend) ?? {};
    known[revision] = Number(WEIGHTED_SERVER.exec(line)?.[3]);
    weights.set(backend, known);
    return line;
  });
  return weights;
}

function mapServers(configuration: string, change: (backend: string, server: string, line: string) => string): string {
  let backend: string | undefined;
  return configuration
    .split('\n')
    .map((line) => {
      if (/^\S/.test(line)) backend = BACKEND.exec(line)?.[1];
      const server = WEIGHTED_SERVER.exec(line)?.[2];
      return backend === undefined || server === undefined ? line : change(backend, server, line);
    })
    .join('\n');
}
