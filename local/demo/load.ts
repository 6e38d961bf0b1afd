import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What one revision answered. */
export interface RevisionTraffic {
  readonly requests: number;
  /** Answers of the service itself with status 500. */
  readonly own500: number;
  /** When the latest of these requests was sent, ms since 1970. */
  readonly lastSentAt: number;
}

/** What the clients of a service saw. */
export interface TrafficReport {
  readonly requests: number;
  /** Without a complete answer of the service: no connection, reset, timed out, or refused by the balancer. */
  readonly failed: number;
  /** The first causes, for people. */
  readonly failures: readonly string[];
  readonly byRevision: Readonly<Record<string, RevisionTraffic>>;
}

/** Where a load goes. */
export interface LoadTarget {
  readonly address: string;
  readonly port: number;
  /** Value of the Host header, by which the balancer finds the service. */
  readonly host: string;
}

/** What the load process is told. */
export type LoadCommand = { readonly rate: number } | { readonly report: number } | { readonly end: true };

/** What it answers to `report`. */
export interface LoadAnswer {
  readonly report: number;
  readonly traffic: TrafficReport;
}

/** Clients of a service, in a process of their own so that nothing else slows them down. */
export interface Load {
  /** Requests a second from now on. */
  rate(requestsPerSecond: number): void;
  report(): Promise<TrafficReport>;
  /** Ends the load after the last answer; again, it does nothing. @returns everything it saw */
  end(): Promise<TrafficReport>;
}

/** Starts a load. @param requestsPerSecond evenly spaced, whatever the service does: slow answers do not thin it out */
export async function startLoad(target: LoadTarget, requestsPerSecond: number): Promise<Load> {
  const child = fork(fileURLToPath(new URL('./load-process.ts', import.meta.url)), [JSON.stringify(target)]);
  await once(child, 'spawn');
  let asked = 0;
  const send = (command: LoadCommand) => child.send(command);
  const report = () => {
    const id = ++asked;
    const answered = new Promise<TrafficReport>((resolve, reject) => {
      const onMessage = (answer: LoadAnswer) => {
        if (answer.report !== id) return;
        child.off('message', onMessage).off('exit', onExit);
        resolve(answer.traffic);
      };
      const onExit = (code: number | null) => reject(new Error(`the load process ended with ${code}`));
      child.on('message', onMessage).once('exit', onExit);
    });
    send({ report: id });
    return answered;
  };
  let ended: Promise<TrafficReport> | undefined;
  const end = async () => {
    send({ rate: 0 });
    const last = await report();
    const exited = once(child, 'exit');
    send({ end: true });
    await exited;
    return last;
  };
  send({ rate: requestsPerSecond });
  return {
    rate: (next) => send({ rate: next }),
    report,
    end: () => {
      ended ??= end();
      return ended;
    },
  };
}
