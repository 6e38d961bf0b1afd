import { SearchAttribute } from '../../workflows/contract.ts';
import { type BaseImage, ensureBaseImage } from '../base-image/base-image.ts';
import type { Toolbox } from '../toolbox/toolbox.ts';
import { type Balancer, balancer } from './balancer.ts';
import { type ConsulServer, consulServer } from './consul.ts';
import { type DockerEngine, dockerEngine } from './docker.ts';
import { type InfluxServer, influxServer } from './influxdb.ts';
import { freePort } from './ports.ts';
import { type RegistryPair, registryPair, startRegistryPair } from './registry.ts';
import type { Supervisor } from './supervisor.ts';
import { type TemporalServer, temporalServer } from './temporal.ts';

/** What Slipway stands on and did not write. */
export interface Systems {
  readonly engine: DockerEngine;
  readonly temporal: TemporalServer;
  readonly consul: ConsulServer;
  readonly registry: RegistryPair;
  readonly influx: InfluxServer;
  readonly balancer: Balancer;
  readonly baseImage: BaseImage;
}

/** The database of the balancer's figures. */
const INFLUX_DATABASE = 'slipway';

/** Starts them side by side, as far as none needs another, and returns when each does its work. */
export async function startSystems(supervisor: Supervisor, toolbox: Toolbox): Promise<Systems> {
  const temporal = temporalServer(supervisor, {
    executable: toolbox.path('temporal-cli'),
    searchAttributes: Object.values(SearchAttribute).map((key) => key.name),
    ports: { frontend: await freePort(), http: await freePort(), ui: await freePort(), metrics: await freePort() },
  });
  const consul = consulServer(supervisor, {
    executable: toolbox.path('consul'),
    ports: { http: await freePort(), dns: await freePort(), server: await freePort(), serf: await freePort() },
  });
  const influx = influxServer(supervisor, {
    executable: toolbox.path('influxdb'),
    database: INFLUX_DATABASE,
    ports: { http: await freePort(), rpc: await freePort() },
  });
  const registry = registryPair(supervisor, {
    registry: toolbox.path('docker-registry'),
    haproxy: toolbox.path('haproxy'),
    ports: {
      front: await freePort(),
      replicas: [await freePort(), await freePort()],
      servers: [await freePort(), await freePort()],
      runtime: await freePort(),
    },
  });
  const traffic = balancer(supervisor, {
    haproxy: toolbox.path('haproxy'),
    consulTemplate: toolbox.path('consul-template'),
    consulUrl: consul.url,
    runtimePort: await freePort(),
  });
  const startRegistry = async (): Promise<BaseImage> => {
    await startRegistryPair(registry);
    return ensureBaseImage(registry.address);
  };
  const startBalancer = async (): Promise<void> => {
    await Promise.all([consul.process.start(), traffic.haproxy.start()]);
    await traffic.consulTemplate.start();
  };
  const [engine, baseImage] = await Promise.all([
    dockerEngine(supervisor, toolbox),
    startRegistry(),
    startBalancer(),
    temporal.process.start(),
    influx.process.start(),
  ]);
  return { engine, temporal, consul, registry, influx, balancer: traffic, baseImage };
}
