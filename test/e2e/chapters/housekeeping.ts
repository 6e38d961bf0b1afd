import { afterAll, expect } from '@jest/globals';
import { z } from 'zod';
import { auditReportSchema } from '../../../domain/schemas/api.ts';
import type { Load } from '../../../local/demo/load.ts';
import type { CollectGarbageResult } from '../../../workflows/collect-garbage.ts';
import { type CollectGarbageInput, ScheduleId, TASK_QUEUE, WorkflowType } from '../../../workflows/contract.ts';
import { chapter } from '../chapter.ts';
import { SAMPLE, SHOP } from '../services.ts';
import type { Stage } from '../stage.ts';

const APP = '/prod/shop/r1';

/** What goes on between releases: instances die, load is looked at, images pile up. */
export function housekeeping(stage: () => Stage): void {
  chapter('a platform between releases', (step) => {
    let clients: Load | undefined;
    afterAll(() => clients?.end());

    step('replaces an instance that was killed; no client notices', async () => {
      const { clientsOf, platform, worldWhen } = stage();
      const before = await worldWhen(SHOP, 'both instances to be healthy', (seen) => {
        expect([seen.apps[APP]?.length, Object.keys(seen.weights).length]).toEqual([2, 2]);
      });
      const [victim = ''] = before.apps[APP] ?? [];
      clients = await clientsOf(SHOP, 60);
      await (await containerOf(stage(), victim)).kill({ signal: 'SIGKILL' });
      const after = await worldWhen(SHOP, 'another instance in its place, in Marathon and in the balancer', (seen) => {
        const tasks = seen.apps[APP] ?? [];
        expect([tasks.length, tasks.includes(victim)]).toEqual([2, false]);
        const servers = Object.entries(seen.weights).map(([server, weight]) => [server, weight > 0]);
        expect(servers).toEqual(tasks.map((task) => [expect.stringContaining(task.replace(/^.*\./, '')), true]));
      });
      expect({ ...after, apps: before.apps, weights: before.weights }).toEqual(before);
      expect(await clients.end()).toMatchObject({ failed: 0, failures: [] });
      expect(platform.process('marathon').pid).toBeDefined();
    });

    step('has looked at the load on its schedule, one look after the other', async () => {
      const { temporal } = stage();
      const { info } = await temporal.schedule.getHandle(ScheduleId.Autoscale).describe();
      expect(info.recentActions.length).toBeGreaterThan(1);
      const statuses = new Set<string>();
      for await (const { status } of temporal.workflow.list({ query: `WorkflowType = '${WorkflowType.Autoscale}'` })) {
        statuses.add(status.name);
      }
      expect([...statuses].filter((status) => status !== 'RUNNING')).toEqual(['COMPLETED']);
    });

    step('has an audit that holds, with all that was released in it', async () => {
      const { api, platform } = stage();
      const { body } = await api.call('GET', '/v1/audit', { token: platform.secrets.tokens['ann'] ?? '' });
      const { broken, rows } = auditReportSchema.parse(body);
      expect(broken).toBeUndefined();
      expect(rows).toBeGreaterThan(20);
    });

    step('tells which images would go and why the others stay, and deletes none of them in a dry run', async () => {
      const { look, platform, temporal } = stage();
      const before = await tagsOf(platform.urls.registry);
      const input: CollectGarbageInput = { services: [], dryRun: true };
      const result: CollectGarbageResult = await temporal.workflow.execute(WorkflowType.CollectGarbage, {
        taskQueue: TASK_QUEUE,
        workflowId: 'collect-garbage-dry-run',
        args: [input],
      });
      expect(result).toMatchObject({ dryRun: true, skipped: [] });
      expect(await tagsOf(platform.urls.registry)).toEqual(before);

      const kept = new Map(result.kept.map(({ digest, reasons }) => [digest, reasons.join('; ')]));
      const running = { [SAMPLE]: 'sample/first', [SHOP]: 'shop/first' };
      for (const [service, release] of Object.entries(running)) {
        const { bundle } = await look(release);
        expect([service, kept.get(bundle?.image.digest ?? '')]).toEqual([service, expect.stringContaining('in prod')]);
      }
      // One release is kept, by the time of its push: 2.0.0 of the shop. 2.1.0 was pushed before, and was aborted.
      const { bundle } = await look('shop/watched');
      expect(kept.get(bundle?.image.digest ?? '')).toBeUndefined();
      const gone = result.deleted.find(({ digest }) => digest === bundle?.image.digest);
      expect(gone).toMatchObject({ repository: SHOP, tags: expect.arrayContaining(['v2.1.0']) });
      expect(result.tagsDeleted).toBe(result.deleted.reduce((sum, { tags }) => sum + tags.length, 0));
      expect(result.bytesReclaimed).toBeGreaterThan(0);
    });
  });
}

/** The container of a Marathon task. */
async function containerOf({ platform }: Stage, task: string) {
  const { client } = platform.systems.engine;
  for (const { Id } of await client.listContainers()) {
    const container = client.getContainer(Id);
    const { Config } = await container.inspect();
    if (Config.Env.includes(`MESOS_TASK_ID=${task}`)) return container;
  }
  throw new Error(`no container runs task ${task}`);
}

/** Every tag of every repository. */
async function tagsOf(registry: string): Promise<Record<string, readonly string[]>> {
  const read = async <Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> => {
    const answer = await fetch(`${registry}${path}`, { signal: AbortSignal.timeout(60_000) });
    return schema.parse(await answer.json());
  };
  const { repositories } = await read('/v2/_catalog', z.object({ repositories: z.array(z.string()) }));
  const tags = repositories.map(async (name) => {
    const found = await read(`/v2/${name}/tags/list`, z.object({ tags: z.array(z.string()).nullable() }));
    return [name, (found.tags ?? []).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(tags));
}
