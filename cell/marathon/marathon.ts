import type { FaultBoard } from '../faults/board.ts';
import { type CellLog, SILENT } from '../mesos/log.ts';
import type { Answer, Route } from './http/exchange.ts';
import { HttpServer } from './http/server.ts';
import { HttpError } from './http-error.ts';
import { type Leader, type LostTimes, lead } from './leader.ts';
import { PROFILES, type ProfileName } from './profile.ts';

export interface MarathonCellOptions {
  /** Address to listen on, such as `127.0.0.1`; clients and `/v2/leader` see it too. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Address of a Mesos master, such as `http://127.0.0.1:5050`. */
  readonly mesosMaster: string;
  /** Holds everything that outlives the process; one Marathon at a time. */
  readonly stateDir: string;
  /** Wire dialect; default 1.7. */
  readonly profile?: ProfileName;
  /** Default 100, where Marathon has 5000: a start on one machine need not wait. */
  readonly minReviveOffersIntervalMs?: number;
  /** Default 5000, where Marathon has 120 000. */
  readonly declineOfferMs?: number;
  /** How often every app is brought to its number, whatever happened before. Default 300 000, as Marathon. */
  readonly scaleAppsIntervalMs?: number;
  /**
   * How long a second takes of what apps say in seconds: checks, launch delays, the wait for lost instances. Default
   * 1000. A test that waits for what took minutes makes it shorter. Timeouts of checks do not depend on it.
   */
  readonly secondMs?: number;
  /**
   * How long a second takes of the time that checks give a task to answer. Default 1000. On a machine where tasks are
   * kept waiting longer than apps allow, a test makes it longer.
   */
  readonly timeoutSecondMs?: number;
  /**
   * When lost instances are looked at, as Marathon does it. Default: every second, whether or not Mesos repeats that it
   * does not reach them; so nobody waits ten minutes for a replacement.
   */
  readonly lost?: LostTimes;
  /**
   * Resolves when a decision about deployments that is made now is stored, and comes then. Default at once, where Marathon's
   * ZooKeeper takes some ms to a tenth of a second: clients may see the first step of a creation, or a stop without tasks,
   * and of two instances that are lost one after the other only the first is replaced.
   */
  readonly stored?: () => Promise<void> | undefined;
  /** Uniform in [0, 1): which of the free ports a task gets. Default `Math.random`. */
  readonly random?: () => number;
  readonly log?: CellLog;
  /** Fault switches; without them nothing can be made to go wrong. */
  readonly faults?: FaultBoard | undefined;
}

/** A Marathon that runs. */
export interface MarathonCell {
  readonly url: string;
  /** Ends it; tasks run on, and the next start with the same state takes them up again. */
  stop(): Promise<void>;
}

/**
 * Starts a Marathon on a Mesos master. Resolves when its API answers; it registers with Mesos as soon as it can. Its
 * leader may go, by `DELETE /v2/leader` or by a fault switch; the process and its address stay, and a new leader goes
 * on with what is stored.
 */
export async function startMarathon(options: MarathonCellOptions): Promise<MarathonCell> {
  const log = options.log ?? SILENT;
  const profile = PROFILES[options.profile ?? '1.7'];
  const server = new HttpServer({ host: options.host, port: options.port, log, profile, faults: options.faults });
  // First the port, then the state: so two of them can't write to the same journal by mistake.
  server.serve(WITHOUT_LEADER, { leads: false });
  const origin = `http://${await server.listen()}`;
  let leader: Leader | undefined;
  /** Changes of leadership, one after the other. */
  let changes: Promise<void> = Promise.resolve();

  function elect(): void {
    leader = lead({
      host: options.host,
      origin,
      mesosMaster: options.mesosMaster,
      stateDir: options.stateDir,
      profile: options.profile ?? '1.7',
      minReviveOffersIntervalMs: options.minReviveOffersIntervalMs ?? 100,
      declineOfferMs: options.declineOfferMs ?? 5_000,
      scaleAppsIntervalMs: options.scaleAppsIntervalMs ?? 300_000,
      secondMs: options.secondMs ?? 1_000,
      timeoutSecondMs: options.timeoutSecondMs ?? 1_000,
      stored: options.stored ?? (() => undefined),
      lost: options.lost,
      random: options.random ?? Math.random,
      log,
      faults: options.faults,
      abdicate: () => {
        const again = async () => {
          await dethrone();
          elect();
        };
        setImmediate(() => change(again).catch((error: unknown) => log.warn('no new leader', error)));
      },
    });
    server.serve(leader.routes, { leads: true });
  }

  async function dethrone(): Promise<void> {
    server.serve(WITHOUT_LEADER, { leads: false });
    await leader?.stop();
    leader = undefined;
  }

  function change(step: () => void | Promise<void>): Promise<void> {
    const done = changes.then(step);
    // Who asked for it hears of a failure; the next change is made all the same.
    changes = done.catch(() => undefined);
    return done;
  }

  elect();
  options.faults?.attachMarathon((state) => change(state === 'away' ? dethrone : elect));
  return {
    url: origin,
    async stop() {
      await change(dethrone);
      await server.close();
    },
  };
}

/** What a Marathon answers that does not lead and knows of none that does. */
const WITHOUT_LEADER: readonly Route[] = [
  {
    path: /^\/ping$/,
    handlers: { GET: () => ({ status: 200, body: 'pong', contentType: 'text/plain' }) },
  },
  { path: /^\/v2\/leader$/, handlers: { GET: () => noLeader(404, 'There is no leader') } },
  {
    path: /^.*$/,
    handlers: Object.fromEntries(
      ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [
        method,
        () => noLeader(502, 'Could not determine the current leader'),
      ]),
    ),
  },
];

function noLeader(status: number, message: string): Answer {
  throw new HttpError(status, { message });
}
