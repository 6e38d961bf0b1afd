import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { CONTROL_VERBS } from '../../domain/controls.ts';
import { FailureType } from '../../domain/failures.ts';
import type { ChatConfiguration } from '../../domain/schemas/config.ts';
import { SIGNATURE_TOLERANCE_SECONDS } from '../../domain/standard-webhooks.ts';
import { CHAT_ANSWERS } from '../chat-answers.ts';
import { type ChatCommand, parseChatCommand } from '../chat-commands.ts';
import type { Drifts } from '../drift.ts';
import type { Freezes } from '../freezes.ts';
import { asProblem, Problem } from '../problem.ts';
import type { Language } from '../problem-titles.ts';
import type { Releases } from '../releases.ts';
import { ReplayStore } from '../replay-store.ts';
import { keepRawBodies, parseVerified, verifySignature } from '../signed-webhook.ts';
import type { Vetoes } from '../vetoes.ts';
import { answer, PROBLEMS } from './answers.ts';

export interface ChatRoutesOptions {
  readonly inbound: NonNullable<ChatConfiguration['inbound']>;
  readonly releases: Pick<Releases, 'view' | 'approve' | 'reject' | 'abort' | 'rollback' | 'control'>;
  readonly freezes: Pick<Freezes, 'list' | 'freeze' | 'unfreeze' | 'scopeOf'>;
  readonly vetoes: Pick<Vetoes, 'list' | 'lift'>;
  readonly drifts: Pick<Drifts, 'resolve'>;
  readonly nowSeconds: () => number;
}

const messageSchema = z
  .looseObject({
    text: z
      .string()
      .max(4000)
      .meta({ description: 'Such as `approve sample/4f2a sha256:9c...`; say `help` for more.' }),
    user: z.string().trim().min(1).max(200).meta({ description: 'Who said it; this is who acted.' }),
    room: z.string().max(200).optional(),
    id: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'Of the click or message, when one may arrive several times; by default webhook-id.' }),
  })
  .meta({ id: 'ChatMessage' });
type ChatMessage = z.output<typeof messageSchema>;

const chatAnswerSchema = z
  .object({
    text: z.string(),
    ok: z.boolean().meta({ description: 'False when the command was not carried out.' }),
    code: z.string().exactOptional().meta({ description: 'Why not: the code that the API gives.' }),
  })
  .meta({ id: 'ChatAnswer' });
type ChatAnswer = z.output<typeof chatAnswerSchema>;

/** Commands from chat, by Standard Webhooks: whoever holds the secret speaks for the people in the rooms. */
export const chatRoutes: FastifyPluginCallbackZod<ChatRoutesOptions> = (
  app,
  { inbound, freezes, releases, vetoes, drifts, nowSeconds },
  done,
) => {
  keepRawBodies(app);
  const secrets = [inbound.secret, inbound.previousSecret].filter((secret) => secret !== undefined);
  const replays = new ReplayStore(2 * SIGNATURE_TOLERANCE_SECONDS);
  /** What is being carried out, by message id. */
  const underWay = new Map<string, Promise<ChatAnswer>>();
  app.decorateRequest('messageId', '');

  app.post(
    '/v1/chat',
    {
      schema: {
        tags: ['webhooks'],
        operationId: 'receiveChatMessage',
        summary: 'A command from a chat room',
        description:
          'Proved by a Standard Webhooks signature. A message that is still being carried out gets the same answer; one that was seen before is refused.',
        security: [],
        body: messageSchema,
        response: { 200: answer('What to say in the room.', chatAnswerSchema), ...PROBLEMS },
      },
      preValidation: async (request) => {
        const id = verifySignature(request, secrets, nowSeconds());
        // A sender that does not wait as long as a command may take sends it again meanwhile.
        if (!underWay.has(id) && !replays.claim(id, nowSeconds())) {
          throw new Problem(FailureType.SignatureInvalid, 'this message was seen before');
        }
        request.messageId = id;
        parseVerified(request);
      },
      onError: async (request, _reply, error) => {
        // What failed on our side may be sent again.
        if (asProblem(error).status >= 500) replays.release(request.messageId);
      },
    },
    async ({ body, messageId }) => {
      const begun = underWay.get(messageId);
      if (begun) return begun;
      const answering = answerTo(body, messageId).finally(() => underWay.delete(messageId));
      underWay.set(messageId, answering);
      return answering;
    },
  );

  async function answerTo({ text, user, id }: ChatMessage, messageId: string): Promise<ChatAnswer> {
    const { command, language } = parseChatCommand(text);
    try {
      const said = await carryOut(command, language, user, id ?? messageId);
      return { text: said, ok: command.verb !== 'unknown' && command.verb !== 'usage' };
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status >= 500) throw error;
      return { text: CHAT_ANSWERS[language].refused(problem), ok: false, code: problem.code };
    }
  }

  async function carryOut(command: ChatCommand, language: Language, by: string, clickId: string): Promise<string> {
    const say = CHAT_ANSWERS[language];
    switch (command.verb) {
      case 'help':
        return say.help();
      case 'unknown':
        return say.unknown();
      case 'usage':
        return say.usage(command.of);
      case 'status':
        return say.status(await releases.view(command.release));
      case 'pause':
      case 'resume':
      case 'skip-hold':
      case 'skip-analysis':
      case 'retry-step':
      case 'promote-fully': {
        const { reason, release, step, verb } = command;
        const word = { by, clickId, reason, ...(step === undefined ? {} : { step }) };
        const { missing } = await releases.control(release, CONTROL_VERBS[verb], word);
        return say.taken(verb, release, by, missing);
      }
      case 'freezes':
        return say.freezes(await freezes.list());
      case 'freeze': {
        const scope = freezes.scopeOf(command.scope);
        return say.frozen(await freezes.freeze({ scope, reason: command.reason }, { by, clickId }));
      }
      case 'unfreeze':
        return say.unfrozen(await freezes.unfreeze(command.id, { by, clickId, reason: command.reason }), by);
      case 'vetoes':
        return say.vetoes(command.service, await vetoes.list({ service: command.service }));
      case 'lift':
        return say.lifted(command.veto, await vetoes.lift(command.veto, { by, clickId, reason: command.reason }), by);
      case 'adopt':
      case 'revert': {
        const carriedOutBy = await drifts.resolve(command.verb, command.lane, { by, clickId, reason: command.reason });
        return say.resolving(command.verb, carriedOutBy, by);
      }
      case 'approve': {
        const planDigest = await wholeDigest(command);
        await releases.approve(command.release, { by, clickId, planDigest });
        return say.approved(command.release, by);
      }
      case 'reject':
        await releases.reject(command.release, { by, clickId, reason: command.reason });
        return say.rejected(command.release, by);
      case 'abort':
        await releases.abort(command.release, { by, clickId, reason: command.reason });
        return say.aborting(command.release, by);
      case 'rollback':
        return say.rollingBack(await releases.rollback(command.release, { by, clickId, reason: command.reason }), by);
    }
  }

  /** A digest that was cut short stands for the plan that begins so, if it is the one that waits. */
  async function wholeDigest(command: Extract<ChatCommand, { verb: 'approve' }>): Promise<string> {
    const { plan } = await releases.view(command.release);
    return plan?.digest.startsWith(command.planDigest) ? plan.digest : command.planDigest;
  }

  done();
};

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the chat message that the request carries. */
    messageId: string;
  }
}
