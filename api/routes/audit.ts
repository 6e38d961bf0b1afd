import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import type { AuditReport } from '../../domain/audit.ts';
import { auditReportSchema } from '../../domain/schemas/api.ts';
import { TASK_QUEUE, WorkflowType } from '../../workflows/contract.ts';
import { answer, PROBLEMS } from './answers.ts';

/** Longest time for a walk: every hash is computed again. */
const WALK_MS = 60_000;

/** The audit. Asked of a worker by a workflow of its own, since the API does not reach the ledger. */
export const auditRoutes: FastifyPluginCallbackZod<{ readonly client: Client }> = (app, { client }, done) => {
  app.get(
    '/v1/audit',
    {
      schema: {
        tags: ['audit'],
        operationId: 'verifyAudit',
        summary: 'Whether anything in the audit was changed after it was written',
        response: { 200: answer('What a walk along the whole audit found.', auditReportSchema), ...PROBLEMS },
      },
    },
    async (request) =>
      client.withDeadline(Date.now() + WALK_MS, () =>
        client.workflow.execute<() => Promise<AuditReport>>(WorkflowType.VerifyAudit, {
          workflowId: `audit/${randomUUID()}`,
          taskQueue: TASK_QUEUE,
          workflowExecutionTimeout: WALK_MS,
          staticSummary: `walk along the audit, asked for by ${request.actor}`,
        }),
      ),
  );

  done();
};
