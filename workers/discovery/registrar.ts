import { lookup } from 'node:dns/promises';
import { connect, isIPv4 } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import { ConsulClient, type ConsulOptions } from '../../activities/consul/client.ts';
import { TokenBucket, watch } from '../../activities/consul/watch.ts';
import { BoundNames } from '../../activities/dns/names.ts';
import { MarathonClient, type MarathonOptions } from '../../activities/marathon/client.ts';
import { marathonEvents } from '../../activities/marathon/events.ts';
import type { MarathonApp } from '../../activities/marathon/types.ts';
import { RevisionLabel } from '../../domain/revision-app.ts';
import type { Log } from './log.ts';
import { instancesOf, ownAddress, planRegistrations } from './registrations.ts';
import { Wakeup } from './wakeup.ts';

export interface RegistrarOptions {
  readonly consul: ConsulOptions;
  /** Every Marathon with the environments it runs. */
  readonly marathons: readonly { readonly marathon: MarathonOptions; readonly environments: readonly string[] }[];
  /** `address:port` where the balancer of each environment listens; told to consul-template through Consul. */
  readonly frontends: Readonly<Record<string, string>>;
  /** Register only tasks on this Mesos agent host, where every host has a registrar and a Consul agent of its own. */
  readonly host?: string;
  /** A full look at everything this often, whatever events say or keep to themselves; default 30 000. */
  readonly reconcileMs?: number;
  readonly log: Log;
}

/** What one pass did. */
export interface Reconciled {
  readonly registered: readonly string[];
  readonly deregistered: readonly string[];
}

const RECONCILE_MS = 30_000;
const RETRY_MS = 250;
const ADDRESS_VALID_MS = 60_000;

/** Marathon's events after which an instance may have come or gone. */
const EVENTS = [
  'status_update_event',
  'instance_changed_event',
  'instance_health_changed_event',
  'health_status_changed_event',
  'app_terminated_event',
  'deployment_success',
];

/**
 * Keeps the local Consul agent's registrations equal to what Marathon runs. Marathon's events, changes on the agent's
 * node and breaks of either connection start a pass at once; a pass every 30 s makes sure. Each pass compares the
 * whole truth with all that is registered, so nothing depends on an event that may be lost.
 */
export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #consul: ConsulClient;
  readonly #names: BoundNames;
  readonly #marathons: readonly { readonly client: MarathonClient; readonly environments: readonly string[] }[];
  readonly #addresses = new Map<string, { readonly address: string; readonly until: number }>();
  readonly #wakeup = new Wakeup();

  constructor(options: RegistrarOptions) {
    this.#options = options;
    this.#consul = new ConsulClient(options.consul);
    this.#names = new BoundNames(this.#consul);
    this.#marathons = options.marathons.map(({ marathon, environments }) => ({
      client: new MarathonClient(marathon),
      environments,
    }));
  }

  /** Works until the signal. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#wakeup.call(), { once: true });
    await Promise.all([
      this.#reconcileForever(signal),
      this.#watchAgent(signal),
      this.#feelAgent(signal),
      ...this.#options.marathons.map(({ marathon }) => this.#listen(marathon, signal)),
    ]);
    this.#consul.close();
  }

  /**
   * One pass. A Marathon that does not answer keeps its environments as they are, and the others go on.
   *
   * @throws ApplicationFailure when Consul fails, or, after all else is done, when a Marathon does
   */
  async reconcile(): Promise<Reconciled> {
    const apps = await Promise.allSettled(this.#marathons.map(({ client }) => this.#slipwayApps(client)));
    const answered = this.#marathons.filter((_, index) => apps[index]?.status === 'fulfilled');
    const known = apps.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
    const [hosts, services, names] = await Promise.all([
      this.#hostsOf(known),
      this.#consul.agentServices(),
      this.#names.readAll(),
    ]);
    const plan = planRegistrations({
      services,
      names,
      environments: new Set(answered.flatMap(({ environments }) => environments)),
      instances: instancesOf(known, hosts),
    });
    // What has ended first: somebody may be sent there.
    for (const id of plan.deregister) await this.#consul.deregisterService(id);
    for (const registration of plan.register) await this.#consul.registerService(registration);
    await this.#declareFrontends();
    const failed = apps.find((result) => result.status === 'rejected');
    if (failed?.status === 'rejected') throw failed.reason;
    return { registered: plan.register.map(({ id }) => id), deregistered: plan.deregister };
  }

  async #slipwayApps(client: MarathonClient): Promise<readonly MarathonApp[]> {
    return client.listApps({ label: RevisionLabel.Service, embed: ['tasks'] });
  }

  /** Writes where each environment's balancer listens, if Consul does not have it so. */
  async #declareFrontends(): Promise<void> {
    const { frontends } = this.#options;
    const stored = new Map((await this.#consul.kvList('slipway/balancer/')).map(({ key, value }) => [key, value]));
    for (const [environment, address] of Object.entries(frontends)) {
      const key = `slipway/balancer/${environment}`;
      if (stored.get(key) !== address) await this.#consul.kvPut(key, address);
    }
  }

  /** The hosts whose tasks are registered here, each with its address if that is known. */
  async #hostsOf(apps: readonly MarathonApp[]): Promise<ReadonlyMap<string, string | undefined>> {
    const names = new Set(apps.flatMap(({ tasks }) => tasks.map(({ host }) => host)));
    const { host } = this.#options;
    const ours = [...names].filter((name) => host === undefined || name === host);
    const asked = new Set(
      apps.flatMap((app) => app.tasks.filter((task) => !ownAddress(app, task)).map((task) => task.host)),
    );
    return new Map(
      await Promise.all(
        ours.map(async (name) => [name, asked.has(name) ? await this.#addressOf(name) : undefined] as const),
      ),
    );
  }

  /** IPv4 address of a host. A known one stays while the resolver is away. */
  async #addressOf(host: string): Promise<string | undefined> {
    if (isIPv4(host)) return host;
    const known = this.#addresses.get(host);
    const now = performance.now();
    if (known !== undefined && known.until > now) return known.address;
    try {
      const { address } = await lookup(host, { family: 4 });
      this.#addresses.set(host, { address, until: now + ADDRESS_VALID_MS });
      return address;
    } catch (error) {
      this.#options.log.warn(`the name of host ${host} has no address now (${messageOf(error)})`);
      return known?.address;
    }
  }

  async #reconcileForever(signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    // Events come in storms; each pass sees all of them.
    const bucket = new TokenBucket({ capacity: 4, perSecond: 4 });
    let failing = false;
    while (!signal.aborted) {
      await pause(bucket.take(performance.now()), signal);
      this.#wakeup.reset();
      let wait = this.#options.reconcileMs ?? RECONCILE_MS;
      try {
        const { registered, deregistered } = await this.reconcile();
        if (registered.length > 0) log.info(`registered ${registered.join(', ')}`);
        if (deregistered.length > 0) log.info(`deregistered ${deregistered.join(', ')}`);
        if (failing) log.info('registrations are complete again');
        failing = false;
      } catch (error) {
        if (!failing) log.warn(`registrations may be out of date: ${messageOf(error)}`);
        failing = true;
        wait = 4 * RETRY_MS;
      }
      if (!signal.aborted) await this.#wakeup.wait(wait);
    }
  }

  /** Wakes the passes when the agent's services change or its connection breaks, as in a restart. */
  async #watchAgent(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const node = await this.#consul.nodeName();
        for await (const _ of watch(this.#consul, `/v1/catalog/node/${encodeURIComponent(node)}`, { signal }))
          this.#wakeup.call();
      } catch (error) {
        // Reported by the pass this starts, which finds the same.
        if (!(error instanceof ApplicationFailure)) throw error;
        this.#wakeup.call();
        await pause(RETRY_MS, signal);
      }
    }
  }

  /**
   * Holds a connection on which nothing is said: it breaks when the agent ends, also when that falls between two
   * questions of the watch. An agent that starts anew may have lost its services while the catalogue still has them.
   */
  async #feelAgent(signal: AbortSignal): Promise<void> {
    const { hostname, port, protocol } = new URL(this.#options.consul.url);
    while (!signal.aborted) {
      await new Promise<void>((resolve) => {
        const socket = connect(Number(port || (protocol === 'https:' ? 443 : 80)), hostname);
        const end = () => socket.destroy();
        signal.addEventListener('abort', end, { once: true });
        // Every error is followed by 'close'.
        socket.on('error', () => {});
        socket.on('end', end);
        socket.on('close', () => {
          signal.removeEventListener('abort', end);
          resolve();
        });
      });
      this.#wakeup.call();
      await pause(RETRY_MS, signal);
    }
  }

  async #listen(marathon: MarathonOptions, signal: AbortSignal): Promise<void> {
    const { log } = this.#options;
    let failing = false;
    while (!signal.aborted) {
      try {
        for await (const _ of marathonEvents({ ...marathon, types: EVENTS, signal })) {
          if (failing) log.info(`events of Marathon ${marathon.url} come again`);
          failing = false;
          this.#wakeup.call();
        }
      } catch (error) {
        if (!(error instanceof ApplicationFailure)) throw error;
        if (!failing) log.warn(`no events, so changes are seen late: ${error.message}`);
        failing = true;
        this.#wakeup.call();
        await pause(4 * RETRY_MS, signal);
      }
    }
  }
}

/** Waits, but not beyond the signal. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
