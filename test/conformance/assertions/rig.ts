import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect } from '@jest/globals';
import { z } from 'zod';
import { MarathonClient } from '../../../activities/marathon/client.ts';
import type { MarathonEvent } from '../../../activities/marathon/types.ts';
import { type MarathonCell, startMarathon } from '../../../cell/marathon/marathon.ts';
import type { ProfileName } from '../../../cell/marathon/profile.ts';
import { type MesosCell, startMesos } from '../../../cell/mesos/start.ts';
import { freePortBlock } from '../../../local/platform/ports.ts';
import { recordEvents } from '../../integration/marathon-rig.ts';
import { until } from '../../integration/mesos-until.ts';
import { AFTER_1_5, legacyAppBreaches } from '../contract/legacy-app-schema.ts';

const PORTS_OF_AGENT = 40;

/** An answer, its JSON read. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // What a test reads of a body it says by what it expects of it.
  readonly body: ReturnType<typeof JSON.parse>;
}

/** What a suite needs otherwise. */
export interface RigOptions {
  /** How long a second of checks and delays takes; default 1000. */
  readonly secondMs?: number;
}

/** A cell of one profile with two agents: `agent1` (env fat, rack r1, disk ssd) and `agent2` (env uat, rack r2). */
export class AssertionRig {
  readonly profile: ProfileName;
  readonly #ports: { first: number; marathon: number } = { first: 0, marathon: 0 };
  readonly #stateDir = mkdtempSync(join(tmpdir(), 'assertions-'));
  #parts: { mesos: MesosCell; marathon: MarathonCell; client: MarathonClient } | undefined;
  #recorded: Awaited<ReturnType<typeof recordEvents>> | undefined;
  #earlier: readonly MarathonEvent[] = [];

  readonly #options: RigOptions;

  constructor(profile: ProfileName, options: RigOptions) {
    this.profile = profile;
    this.#options = options;
  }

  get url(): string {
    return this.#running().marathon.url;
  }

  get client(): MarathonClient {
    return this.#running().client;
  }

  get mesos(): MesosCell {
    return this.#running().mesos;
  }

  /** Everything the stream has told since the start, oldest first. */
  get events(): readonly MarathonEvent[] {
    return [...this.#earlier, ...(this.#recorded?.events ?? [])];
  }

  /** The first and the last port that an agent offers. */
  portRange(agent: 'agent1' | 'agent2'): readonly [number, number] {
    const first = this.#ports.first + (agent === 'agent1' ? 0 : PORTS_OF_AGENT);
    return [first, first + PORTS_OF_AGENT - 1];
  }

  async start(): Promise<void> {
    this.#ports.first = await freePortBlock(2 * PORTS_OF_AGENT);
    this.#ports.marathon = await freePortBlock(1);
    const agent = (name: 'agent1' | 'agent2', attributes: string) => ({
      name,
      attributes,
      cpus: 4,
      mem: 4096,
      portRange: [...this.portRange(name)] as [number, number],
    });
    const mesos = await startMesos({
      stateDir: join(this.#stateDir, 'mesos'),
      agents: [agent('agent1', 'env:fat;rack:r1;disk:ssd'), agent('agent2', 'env:uat;rack:r2')],
      stopGraceMs: 200,
    });
    await this.#startMarathon(mesos);
    this.#recorded = await recordEvents(this.url);
  }

  /** Ends Marathon and starts it again on the same state and port. */
  async restartMarathon(): Promise<void> {
    await this.withoutRecorder(async () => {
      await this.#running().marathon.stop();
      await this.#startMarathon(this.#running().mesos);
    });
  }

  /** Does what ends every stream, which would be a failure of the recorder; events meanwhile are not recorded. */
  async withoutRecorder(act: () => Promise<void>): Promise<void> {
    await this.#stopRecording();
    await act();
    this.#recorded = await recordEvents(this.url);
  }

  async stop(): Promise<void> {
    await this.#stopRecording();
    await this.#parts?.marathon.stop();
    await this.#parts?.mesos.stop();
    rmSync(this.#stateDir, { recursive: true });
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const answer = await fetch(this.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      // Bytes, since fetch would give a text a content type of its own.
      ...(body === undefined ? {} : { body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) }),
    });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') ?? false;
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  }

  /** Creates an app, and waits until all its tasks run and no deployment of it is left. */
  async create(app: { readonly id: string; readonly [field: string]: unknown }): Promise<Answer['body']> {
    const { status, body } = await this.call('POST', '/v2/apps', { ...SLEEP, ...app });
    expect({ status, body }).toMatchObject({ status: 201 });
    return this.settled(app.id);
  }

  /** The app, once it has as many running tasks as it wants, and no deployment. */
  settled(id: string): Promise<Answer['body']> {
    return until(`${id} rests`, 60_000, async () => {
      const { app } = (await this.call('GET', `/v2/apps${id}`)).body;
      const rests = app.deployments.length === 0 && app.tasks.length === app.instances;
      return rests && app.tasksRunning === app.instances ? app : undefined;
    });
  }

  /** Waits for an event that carries all of what is asked for. */
  told(eventType: string, fields: Readonly<Record<string, unknown>>): Promise<MarathonEvent> {
    return until(`${eventType} with ${JSON.stringify(fields)}`, 60_000, () =>
      this.events.find(
        (event) =>
          event.eventType === eventType && Object.entries(fields).every(([key, value]) => event[key] === value),
      ),
    );
  }

  /** Removes every app and waits until their tasks are gone. */
  async clear(): Promise<void> {
    await this.call('DELETE', '/v2/groups?force=true');
    await until('nothing is left', 60_000, async () => {
      const { body } = await this.call('GET', '/v2/tasks');
      return body.tasks.length === 0 && (await this.call('GET', '/v2/deployments')).body.length === 0;
    });
  }

  async #stopRecording(): Promise<void> {
    await this.#recorded?.stop();
    this.#earlier = this.events;
    this.#recorded = undefined;
  }

  #running() {
    if (!this.#parts) throw new Error('the rig is not started');
    return this.#parts;
  }

  async #startMarathon(mesos: MesosCell): Promise<void> {
    const marathon = await startMarathon({
      host: '127.0.0.1',
      port: this.#ports.marathon,
      mesosMaster: mesos.masterUrl,
      stateDir: join(this.#stateDir, 'marathon'),
      profile: this.profile,
      secondMs: this.#options.secondMs ?? 1_000,
    });
    const client = new MarathonClient({ url: marathon.url });
    this.#parts = { mesos, marathon, client };
    await until('it is registered with Mesos', 60_000, async () => (await client.info()).frameworkId);
  }
}

/** The least a running app needs. */
export const SLEEP = { cmd: 'exec sleep 1000', cpus: 0.1, mem: 16 } as const;

export const ids = (tasks: readonly { readonly id: string }[]): readonly string[] =>
  tasks.map(({ id }) => id).toSorted();

/**
 * Runs assertions on a cell of each profile; every test begins with an empty cell. The definitions that the older one
 * tells of are held to the last JSON schema of apps.
 */
export function onBothProfiles(assertions: (rig: AssertionRig) => void, options: RigOptions = {}): void {
  describe.each(['1.7', '1.11'] as const)('profile %s', (profile) => {
    const rig = new AssertionRig(profile, options);
    beforeAll(() => rig.start());
    afterEach(() => rig.clear());
    afterAll(async () => {
      await rig.stop();
      if (profile !== '1.7') return;
      const stored = z.array(z.looseObject({})).parse(rig.events.flatMap((event) => event['appDefinition'] ?? []));
      expect(AFTER_1_5).toEqual(expect.arrayContaining([...legacyAppBreaches(stored)]));
    });
    assertions(rig);
  });
}
