import { createHash } from 'node:crypto';
import { revisionOf } from '../../activities/balancer/servers.ts';
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

/** A configuration to put in place, and the words by which a process can be told to run its structure. */
export interface ComposedConfiguration {
  readonly text: string;
  /** What `show info` answers as `description`. */
  readonly description: string;
}

/**
 * What was rendered, with the weights of these documents and a description of its structure. HAProxy joins several
 * `global` sections.
 *
 * @param documents by backend
 */
export function composeConfiguration(
  rendered: string,
  documents: ReadonlyMap<string, TrafficDocument>,
): ComposedConfiguration {
  const description = `slipway-structure-${structureDigest(rendered)}`;
  const text = `${withWeights(rendered, documents).trimEnd()}\n\nglobal\n    description ${description}\n`;
  return { text, description };
}

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
    const revision = revisionOf(server);
    return line.replace(WEIGHTED_SERVER, `$1${document.weights[revision] ?? 0}$4`);
  });
}

/** The weights that the text gives to each backend's revisions. */
export function weightsIn(configuration: string): ReadonlyMap<string, Readonly<Record<string, number>>> {
  const weights = new Map<string, Record<string, number>>();
  mapServers(configuration, (backend, server, line) => {
    const revision = revisionOf(server);
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
