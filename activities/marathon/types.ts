import { z } from 'zod';

/**
 * What Slipway reads of Marathon's answers, checked at the border. Objects are loose: members that other releases add
 * stay in place and hurt nobody. Fields are those of Marathon 1.5 to 1.11 (`/v2` API).
 */

/** Collections that releases up to 1.4 write as `null` and later ones leave out when empty. */
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((value) => value ?? []);

const strings = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** One result of one health check of one task. */
const HealthCheckResultSchema = z.looseObject({
  alive: z.boolean(),
  consecutiveFailures: z.number().optional(),
  lastFailureCause: z.string().nullish(),
});

/** A task. Treat `id` as opaque: its form differs between releases. Inactive tasks lack ports, version and times. */
export const TaskSchema = z.looseObject({
  id: z.string(),
  appId: z.string(),
  host: z.string(),
  state: z.string(),
  ports: list(z.number()),
  ipAddresses: list(z.looseObject({ ipAddress: z.string().nullish() })),
  slaveId: z.string().nullish(),
  version: z.string().nullish(),
  stagedAt: z.string().nullish(),
  startedAt: z.string().nullish(),
  healthCheckResults: list(HealthCheckResultSchema),
});
export type MarathonTask = z.infer<typeof TaskSchema>;

/** How the last task of an app ended that did not end well. */
const TaskFailureSchema = z.looseObject({
  appId: z.string(),
  state: z.string(),
  message: z.string(),
  taskId: z.string(),
  timestamp: z.string(),
  host: z.string().optional(),
});

/** An app with what `embed` brought along; counts are absent only where Marathon was not asked for them. */
export const AppSchema = z.looseObject({
  id: z.string(),
  instances: z.number().int(),
  version: z.string().optional(),
  cmd: z.string().nullish(),
  container: z.looseObject({ docker: z.looseObject({ image: z.string() }).nullish() }).nullish(),
  env: z
    .record(z.string(), z.unknown())
    .nullish()
    .transform((value) => value ?? {}),
  labels: strings,
  healthChecks: list(z.looseObject({})),
  networks: list(z.looseObject({ mode: z.string().nullish() })),
  tasksStaged: z.number().optional(),
  tasksRunning: z.number().optional(),
  tasksHealthy: z.number().optional(),
  tasksUnhealthy: z.number().optional(),
  deployments: list(z.looseObject({ id: z.string() })),
  tasks: list(TaskSchema),
  lastTaskFailure: TaskFailureSchema.nullish(),
});
export type MarathonApp = z.infer<typeof AppSchema>;

export const AppAnswerSchema = z.looseObject({ app: AppSchema });
export const AppListSchema = z.looseObject({ apps: z.array(AppSchema) });
export const TaskListSchema = z.looseObject({ tasks: z.array(TaskSchema) });

/** The answer to every change: the deployment it started. */
export const DeploymentResultSchema = z.looseObject({ version: z.string(), deploymentId: z.string() });
export type DeploymentResult = z.infer<typeof DeploymentResultSchema>;

const DeploymentActionSchema = z.looseObject({ action: z.string(), app: z.string().optional() });

/** A deployment that runs now. */
export const DeploymentSchema = z.looseObject({
  id: z.string(),
  version: z.string(),
  affectedApps: list(z.string()),
  affectedPods: list(z.string()),
  steps: z.array(z.looseObject({ actions: z.array(DeploymentActionSchema) })),
  currentActions: list(DeploymentActionSchema),
  currentStep: z.number(),
  totalSteps: z.number(),
});
export type Deployment = z.infer<typeof DeploymentSchema>;
export const DeploymentListSchema = z.array(DeploymentSchema);

/** `declined` of `processed` offers that got as far as this reason. Reasons are a funnel: each offer counts once. */
const RejectSchema = z.looseObject({ reason: z.string(), declined: z.number(), processed: z.number() });

/** One app that waits for offers or for the end of its launch delay. */
export const QueueItemSchema = z.looseObject({
  count: z.number(),
  delay: z.looseObject({
    timeLeftSeconds: z.number(),
    /** True: no delay left, only a fitting offer is missing. */
    overdue: z.boolean(),
  }),
  since: z.string().optional(),
  app: z.looseObject({ id: z.string() }).optional(),
  processedOffersSummary: z
    .looseObject({
      processedOffersCount: z.number(),
      unusedOffersCount: z.number(),
      rejectSummaryLastOffers: list(RejectSchema),
      rejectSummaryLaunchAttempt: list(RejectSchema),
    })
    .optional(),
});
export type QueueItem = z.infer<typeof QueueItemSchema>;
export const QueueSchema = z.looseObject({ queue: z.array(QueueItemSchema) });

export const InfoSchema = z.looseObject({
  name: z.string(),
  version: z.string(),
  elected: z.boolean().nullish(),
  leader: z.string().nullish(),
  frameworkId: z.string().nullish(),
});
export type MarathonInfo = z.infer<typeof InfoSchema>;

export const LeaderSchema = z.looseObject({ leader: z.string() });

/** The body of an error: `details` is a string for JSON that cannot be read, else a list; `deployments` means locked. */
export const ErrorBodySchema = z.looseObject({
  message: z.string().optional(),
  details: z.unknown().optional(),
  deployments: z.array(z.looseObject({ id: z.string() })).optional(),
});

/** Every event has these two; the rest depends on the type. */
export const EventSchema = z.looseObject({ eventType: z.string(), timestamp: z.string() });
export type MarathonEvent = z.infer<typeof EventSchema>;
