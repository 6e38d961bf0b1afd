import { z } from 'zod';

/** A revision of a service as Marathon tells of it. */
export interface RunningRevision {
  /** Such as `r7`. */
  readonly name: string;
  /** From the making of its app to the first good health check of its last instance, ms. */
  readonly startMs: number;
}

const timestamp = z.iso.datetime().transform((text) => Date.parse(text));
const answerSchema = z.object({
  apps: z.array(
    z.object({
      id: z.string(),
      versionInfo: z.object({ lastConfigChangeAt: timestamp }),
      tasks: z.array(z.object({ healthCheckResults: z.array(z.object({ firstSuccess: timestamp })).min(1) })).min(1),
    }),
  ),
});

/** The revisions of a service that run now, all of them healthy, the oldest first. */
export async function revisionsOf(
  marathonUrl: string,
  environment: string,
  service: string,
): Promise<readonly RunningRevision[]> {
  const group = `/${environment}/${service}/`;
  const answer = await fetch(`${marathonUrl}/v2/apps?embed=apps.tasks&id=${group}`, {
    signal: AbortSignal.timeout(10_000),
  });
  const { apps } = answerSchema.parse(await answer.json());
  return apps
    .map(({ id, versionInfo, tasks }) => {
      const healthy = tasks.flatMap(({ healthCheckResults }) => healthCheckResults.map((check) => check.firstSuccess));
      return { name: id.slice(group.length), startMs: Math.max(...healthy) - versionInfo.lastConfigChangeAt };
    })
    .toSorted((one, other) => numberOf(one) - numberOf(other));
}

function numberOf({ name }: RunningRevision): number {
  return Number(name.slice(1));
}
