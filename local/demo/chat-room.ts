import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { signatureProblem, signMessage, WebhookHeader } from '../../domain/standard-webhooks.ts';

/** What Slipway tells the room. */
export interface Notice {
  readonly kind: string;
  /** Id of the release it is about. */
  readonly release: string;
  readonly text: string;
}

/** What Slipway answers to a command. */
export interface ChatAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly text: string;
}

/** A chat system's end of both webhooks: hears what Slipway tells, and speaks for people. */
export interface ChatRoom {
  /** Where Slipway is to send its notices. */
  readonly url: string;
  /** Says something to Slipway, signed with the room's secret. */
  say(user: string, text: string): Promise<ChatAnswer>;
  /** The same from somebody who does not know the secret. */
  forge(user: string, text: string): Promise<ChatAnswer>;
  close(): Promise<void>;
}

export interface ChatRoomOptions {
  /** Slipway's chat webhook. */
  readonly slipway: () => string;
  /** Secrets of what Slipway sends, and of what it takes; known once it runs. */
  readonly secrets: () => { readonly chatOutbound: string; readonly chatInbound: string };
  readonly heard: (notice: Notice) => void;
}

const noticeSchema = z.object({ kind: z.string(), release: z.string(), text: z.object({ en: z.string() }) });
const answerSchema = z.object({ ok: z.boolean().default(false), text: z.string().default('') });
const TIMEOUT_MS = 15_000;

/** Opens a room on a free port of loopback. A notice that is not signed rightly is refused with 401. */
export async function openChatRoom(options: ChatRoomOptions): Promise<ChatRoom> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const header = (name: string) => String(request.headers[name] ?? '');
    const problem = signatureProblem(
      [options.secrets().chatOutbound],
      { id: header(WebhookHeader.Id), timestamp: header(WebhookHeader.Timestamp), body },
      header(WebhookHeader.Signature),
      Math.floor(Date.now() / 1000),
    );
    if (problem) {
      response.writeHead(401).end(problem);
      return;
    }
    const { kind, release, text } = noticeSchema.parse(JSON.parse(body.toString()));
    options.heard({ kind, release, text: text.en });
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  async function send(secret: string, user: string, text: string): Promise<ChatAnswer> {
    const body = JSON.stringify({ text, user, room: 'releases' });
    const message = {
      id: `msg_${randomUUID()}`,
      timestamp: String(Math.floor(Date.now() / 1000)),
      body: Buffer.from(body),
    };
    const answer = await fetch(options.slipway(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        [WebhookHeader.Id]: message.id,
        [WebhookHeader.Timestamp]: message.timestamp,
        [WebhookHeader.Signature]: signMessage(secret, message),
      },
      body,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: answer.status, ...answerSchema.parse(await answer.json()) };
  }

  return {
    url: `http://127.0.0.1:${port}/slipway`,
    say: (user, text) => send(options.secrets().chatInbound, user, text),
    forge: (user, text) => send(newSigningSecret(), user, text),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A fresh signing secret, as the Standard Webhooks specification writes them. */
function newSigningSecret(): string {
  return `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64')}`;
}
