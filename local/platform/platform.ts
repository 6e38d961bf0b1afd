import type { ConfigurationFile } from '../../domain/schemas/config.ts';
import { ensureToolbox, PLATFORM_PARTS, type Toolbox } from '../toolbox/toolbox.ts';
import { type AgentRequest, type Cell, cell, startCell } from './cell.ts';
import {
  BUILDER_ATTRIBUTE,
  type ConfigurationRequest,
  type Secrets,
  writeConfiguration,
} from './configuration-file.ts';
import { clearData } from './directories.ts';
import { freePort } from './ports.ts';
import type { SupervisedProcess } from './process.ts';
import { type SlipwayProcesses, slipwayProcesses } from './slipway.ts';
import { Supervisor } from './supervisor.ts';
import { type Systems, startSystems } from './systems.ts';

export interface PlatformOptions {
  /** Where everything goes: logs, data, run records, configuration, secrets. */
  readonly dir: string;
  readonly log: (line: string) => void;
  /** Environments and their tiers; default `fat` and `uat` for integration and `prod` for production. */
  readonly environments?: Readonly<Record<string, 'integration' | 'production'>>;
  /** Mesos agents; default one for each integration environment, two for each production one, and two builders. */
  readonly agents?: readonly AgentRequest[];
  readonly services?: ConfigurationRequest['services'];
  /** Who holds a token of the API; default `ann` and `bob`. */
  readonly people?: readonly string[];
  /** Where chat messages are sent; default nowhere. */
  readonly chatOutboundUrls?: readonly string[];
  readonly schedules?: ConfigurationRequest['schedules'];
  /** Opens the fault switches of Mesos and of Marathon. */
  readonly faults?: boolean;
  /** Changes Slipway's configuration before it is written: a fault test puts a proxy in the place of a system. */
  readonly configure?: (configuration: ConfigurationFile) => ConfigurationFile | Promise<ConfigurationFile>;
}

/** Everything that runs, and where it answers. */
export interface Platform {
  readonly supervisor: Supervisor;
  readonly systems: Systems;
  readonly cell: Cell;
  readonly slipway: SlipwayProcesses;
  readonly configurationFile: string;
  readonly secrets: Secrets;
  readonly urls: PlatformUrls;
  /** Versions of what it is made of, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Every process by its name, for fault tests. */
  process(name: string): SupervisedProcess;
  /** Ends everything; nothing is left but data and logs. */
  stop(): Promise<void>;
}

export interface PlatformUrls {
  readonly api: string;
  readonly temporalUi: string;
  readonly consulUi: string;
  readonly marathon: string;
  readonly mesos: string;
  readonly influx: string;
  readonly registry: string;
  /** The balancer's frontend of each environment. A service is asked for by its host name. */
  readonly frontends: Readonly<Record<string, string>>;
}

const DEFAULT_ENVIRONMENTS = { fat: 'integration', uat: 'integration', prod: 'production' } as const;
const DEFAULT_SCHEDULES: ConfigurationRequest['schedules'] = {
  autoscale: { everySeconds: 5, windowSeconds: 5 },
  collectGarbage: { everySeconds: 86_400, graceSeconds: 3600 },
};

/**
 * Starts the whole platform on this machine and returns when all of it works. It ends with this process: on `stop()`,
 * on SIGINT, SIGTERM or SIGHUP, on exit; what a killed one leaves, the next start in the directory clears.
 * @throws {SetupError} if a part is missing or another launcher works on the directory; {Error} if a part does not come
 * up, with the end of its log. Nothing is left running then.
 */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const toolbox = await ensureToolbox(PLATFORM_PARTS, options.log);
  const supervisor = await Supervisor.open({ dir: options.dir, log: options.log });
  try {
    return await startOn(supervisor, toolbox, options);
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

async function startOn(supervisor: Supervisor, toolbox: Toolbox, options: PlatformOptions): Promise<Platform> {
  clearData(supervisor.directories);
  const systems = await startSystems(supervisor, toolbox);
  const tiers = options.environments ?? DEFAULT_ENVIRONMENTS;
  const mesosAndMarathon = await cell(supervisor, {
    dockerSocket: systems.engine.socket,
    agents: options.agents ?? defaultAgents(tiers),
    faults: options.faults ?? false,
  });
  const environments: Record<string, { tier: 'integration' | 'production'; port: number }> = {};
  for (const [name, tier] of Object.entries(tiers)) {
    environments[name] = { tier, port: await freePort() };
  }
  const apiPort = await freePort();
  const { file, secrets } = await writeConfiguration({
    root: supervisor.directories.root,
    systems,
    cell: mesosAndMarathon,
    environments,
    services: options.services ?? {},
    apiPort,
    people: options.people ?? ['ann', 'bob'],
    chatOutboundUrls: options.chatOutboundUrls ?? [],
    schedules: options.schedules ?? DEFAULT_SCHEDULES,
    configure: options.configure ?? ((configuration) => configuration),
  });
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const slipway = slipwayProcesses(supervisor, {
    configurationFile: file,
    temporal: systems.temporal,
    apiUrl,
    frontendPorts: Object.values(environments).map(({ port }) => port),
  });
  await Promise.all([
    startCell(mesosAndMarathon).then(() => slipway.discovery.start()),
    slipway.orchestrator.start(),
    slipway.node.start(),
    slipway.api.start(),
  ]);
  return {
    supervisor,
    systems,
    cell: mesosAndMarathon,
    slipway,
    configurationFile: file,
    secrets,
    urls: {
      api: apiUrl,
      temporalUi: systems.temporal.uiUrl,
      consulUi: `${systems.consul.url}/ui/`,
      marathon: mesosAndMarathon.marathonUrl,
      mesos: mesosAndMarathon.masterUrl,
      influx: systems.influx.url,
      registry: `http://${systems.registry.address}`,
      frontends: Object.fromEntries(
        Object.entries(environments).map(([name, { port }]) => [name, `http://127.0.0.1:${port}`]),
      ),
    },
    versions: { ...toolbox.versions(), docker: systems.engine.version, node: process.versions.node },
    process: (name) => supervisor.process(name),
    stop: () => supervisor.stop(),
  };
}

/** Two agents where one may be lost: production, and builders. */
function defaultAgents(tiers: NonNullable<PlatformOptions['environments']>): readonly AgentRequest[] {
  return [
    ...Object.entries(tiers).flatMap(([name, tier]) =>
      Array.from({ length: tier === 'production' ? 2 : 1 }, (_, index) => ({
        name: `${name}-${index + 1}`,
        attributes: `env:${name}`,
      })),
    ),
    { name: 'ci-1', attributes: BUILDER_ATTRIBUTE },
    { name: 'ci-2', attributes: BUILDER_ATTRIBUTE },
  ];
}
