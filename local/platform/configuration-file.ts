import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type ConfigurationFile, parseConfiguration, type SecretReference } from '../../domain/schemas/config.ts';
import type { Cell } from './cell.ts';
import type { Systems } from './systems.ts';

/** What a platform's secrets are; written to files that the configuration refers to. */
export interface Secrets {
  /** Tokens of the API by the name of who holds them. */
  readonly tokens: Readonly<Record<string, string>>;
  /** Signs what chat sends in. */
  readonly chatInbound: string;
  /** Signs what is sent to chat. */
  readonly chatOutbound: string;
  /** `X-Gitlab-Token`. */
  readonly gitlab: string;
}

export interface ConfigurationRequest {
  /** Where the file and its secrets go. */
  readonly root: string;
  readonly systems: Systems;
  readonly cell: Pick<Cell, 'masterUrl' | 'marathonUrl'>;
  /** Environments by name, with the port of each frontend. */
  readonly environments: Readonly<
    Record<string, { readonly tier: 'integration' | 'production'; readonly port: number }>
  >;
  readonly services: ConfigurationFile['services'];
  readonly apiPort: number;
  readonly people: readonly string[];
  readonly chatOutboundUrls: readonly string[];
  readonly schedules: ConfigurationFile['schedules'];
  /** The last word on what is written. */
  readonly configure: (configuration: ConfigurationFile) => ConfigurationFile | Promise<ConfigurationFile>;
}

/** The machine whose node worker maintains the registry. */
export const HOST = 'local';

const ROOT = join(import.meta.dirname, '../..');
const BALANCER = 'main';

/** Writes `slipway.config.yaml` for a platform, with new secrets. */
export async function writeConfiguration(request: ConfigurationRequest): Promise<{ file: string; secrets: Secrets }> {
  const directory = join(request.root, 'secrets');
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { mode: 0o700 });
  const keep = (name: string, secret: string): SecretReference => {
    writeFileSync(join(directory, name), `${secret}\n`, { mode: 0o600 });
    return { file: join('secrets', name) };
  };
  const secrets: Secrets = {
    tokens: Object.fromEntries(request.people.map((name) => [name, randomBytes(24).toString('base64url')])),
    chatInbound: signingSecret(),
    chatOutbound: signingSecret(),
    gitlab: randomBytes(24).toString('base64url'),
  };
  const document = await request.configure(configurationDocument(request, secrets, keep));
  const { errors } = parseConfiguration(document);
  if (errors !== undefined) {
    throw new Error(`the platform's own configuration has errors: ${JSON.stringify(errors)}`);
  }
  const file = join(request.root, 'slipway.config.yaml');
  writeFileSync(file, stringify(document));
  return { file, secrets };
}

function configurationDocument(
  request: ConfigurationRequest,
  secrets: Secrets,
  keep: (name: string, secret: string) => SecretReference,
): ConfigurationFile {
  const { systems, cell } = request;
  return {
    temporal: { address: systems.temporal.address, namespace: systems.temporal.namespace, ui: systems.temporal.uiUrl },
    consul: { url: systems.consul.url, dns: systems.consul.dns },
    registry: {
      address: systems.registry.address,
      replicas: systems.registry.replicas,
      host: HOST,
      storage: systems.registry.store,
      maintenance: systems.registry.maintenance,
    },
    ledger: { directory: join(request.root, 'data', 'ledger') },
    influx: { url: systems.influx.url, database: systems.influx.database },
    mesos: { master: cell.masterUrl },
    balancers: { [BALANCER]: { runtime: [systems.balancer.runtime] } },
    environments: Object.fromEntries(
      Object.entries(request.environments).map(([name, { tier, port }]) => [
        name,
        {
          tier,
          marathon: { url: cell.marathonUrl },
          agentAttribute: `env:${name}`,
          balancer: { name: BALANCER, address: '127.0.0.1', port },
        },
      ]),
    ),
    builder: {
      attribute: BUILDER_ATTRIBUTE,
      command: [process.execPath, join(ROOT, 'workers/builder.ts')],
      docker: systems.engine.socket,
      cpus: 0.5,
      memoryMiB: 512,
      startSeconds: 60,
    },
    groups: {},
    services: request.services,
    api: {
      listen: `127.0.0.1:${request.apiPort}`,
      url: `http://127.0.0.1:${request.apiPort}`,
      tokens: Object.entries(secrets.tokens).map(([name, token]) => ({ name, token: keep(`token-${name}`, token) })),
    },
    gitlab: { token: keep('gitlab', secrets.gitlab) },
    chat: {
      inbound: { secret: keep('chat-inbound', secrets.chatInbound) },
      outbound: outboundChat(request.chatOutboundUrls, keep('chat-outbound', secrets.chatOutbound)),
    },
    schedules: request.schedules,
  };
}

/** Attribute of the agents that may build. */
export const BUILDER_ATTRIBUTE = 'role:ci';

function outboundChat(urls: readonly string[], secret: SecretReference): ConfigurationFile['chat']['outbound'] {
  return urls.map((url) => ({ url, secret }));
}

/** A signing secret as Standard Webhooks writes it. */
function signingSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}
