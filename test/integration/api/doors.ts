import { randomUUID } from 'node:crypto';
import { runCli } from '../../../cli/main.ts';
import { signMessage } from '../../../domain/standard-webhooks.ts';
import { type ApiRig, TOKENS } from './rig.ts';

type Person = keyof typeof TOKENS;

/** The doors that people have to the API of a rig, all in this process. */
export interface Doors {
  /** HTTP: with a body it is a POST, with a key of its own unless one is given. */
  call(
    path: string,
    body?: object,
    options?: CallOptions,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
  /** The command line, away from a terminal. */
  slipway(...args: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** Chat: a signed message; what is answered. */
  say(text: string): Promise<unknown>;
}

export interface CallOptions {
  readonly by?: Person;
  readonly key?: string;
}

/**
 * @param rig asked at each call: it may start later
 * @param as who uses HTTP and the command line
 * @param inChat the same in chat, by name
 */
export function doorsOf(rig: () => ApiRig, as: Person, inChat: string): Doors {
  return {
    async call(path, body, { by = as, key = randomUUID() } = {}) {
      const response = await fetch(`${rig().url}${path}`, {
        headers: { authorization: `Bearer ${TOKENS[by]}`, 'content-type': 'application/json', 'idempotency-key': key },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(30_000),
      });
      return { status: response.status, body: await response.json() };
    },
    async slipway(...args) {
      const written = { stdout: '', stderr: '' };
      const stream = (name: 'stdout' | 'stderr') => ({
        write: (text: string) => {
          written[name] += text;
          return true;
        },
        isTTY: false,
      });
      const code = await runCli(args, {
        stdout: stream('stdout'),
        stderr: stream('stderr'),
        env: { SLIPWAY_API: rig().url, SLIPWAY_TOKEN: TOKENS[as] },
        ask: undefined,
        interrupted: new AbortController().signal,
      });
      return { code, ...written };
    },
    async say(text) {
      const body = JSON.stringify({ text, user: inChat, room: 'releases' });
      const id = `msg_${randomUUID()}`;
      const message = { id, timestamp: String(Math.floor(Date.now() / 1000)), body: Buffer.from(body) };
      const response = await fetch(`${rig().url}/v1/chat`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': message.timestamp,
          'webhook-signature': signMessage(rig().secrets.chat, message),
        },
        body,
        signal: AbortSignal.timeout(30_000),
      });
      return response.json();
    },
  };
}
