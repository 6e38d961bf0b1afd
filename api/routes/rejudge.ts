import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { Rejudgement } from '../../domain/judge/rejudge.ts';
import type { JudgePolicy } from '../../domain/manifest.ts';
import { releasePathSchema } from '../../domain/schemas/api.ts';
import { rejudgementsSchema, rejudgeOrderSchema } from '../../domain/schemas/rejudge.ts';
import { releaseWorkflowId, TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { answer, PROBLEMS } from './answers.ts';

/** Longest time: a verdict takes milliseconds, and a release has tens of them. */
const REJUDGE_MS = 60_000;

type Rejudge = (order: { release: string; policy?: JudgePolicy }) => Promise<readonly Rejudgement[]>;

/** Past verdicts, judged again. Asked of a worker by a workflow of its own, since the API does not reach the ledger. */
export const rejudgeRoutes: FastifyPluginCallbackZod<{ readonly client: Client }> = (app, { client }, done) => {
  app.post(
    '/v1/releases/:service/:key/rejudge',
    {
      schema: {
        tags: ['releases'],
        operationId: 'rejudgeRelease',
        summary: 'Judge every verdict of a release again, from what the ledger keeps; changes nothing',
        params: releasePathSchema,
        body: rejudgeOrderSchema,
        response: { 200: answer('Each verdict as it was given, and as it is now.', rejudgementsSchema), ...PROBLEMS },
      },
    },
    async (request) => {
      const { service, key } = request.params;
      const release = releaseWorkflowId(service, key);
      const verdicts = await client.withDeadline(Date.now() + REJUDGE_MS, () =>
        client.workflow.execute<Rejudge>(WorkflowType.Rejudge, {
          workflowId: `rejudge/${service}/${randomUUID()}`,
          taskQueue: TASK_QUEUE,
          args: [{ release, ...request.body }],
          workflowExecutionTimeout: REJUDGE_MS,
          staticSummary: `verdicts of ${release}, judged again for ${request.actor}`,
        }),
      );
      return { verdicts: [...verdicts] };
    },
  );

  done();
};
