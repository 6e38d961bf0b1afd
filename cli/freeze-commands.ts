import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { type Freeze, scopeText } from '../domain/freeze.ts';
import { freezeListSchema, freezeSchema } from '../domain/schemas/freeze.ts';
import { type ActInContext, UsageError } from './context.ts';
import { formatTime } from './duration.ts';
import { ExitCode } from './exit-codes.ts';
import type { Language } from './messages.ts';

interface Say {
  readonly none: string;
  readonly columns: readonly string[];
  readonly needsScope: string;
  notATime(text: string): string;
  frozen(freeze: Freeze): string;
  lifted(freeze: Freeze): string;
}

const SAY: Readonly<Record<Language, Say>> = {
  en: {
    none: 'Nothing is frozen.',
    columns: ['FREEZE', 'ENVIRONMENT', 'SERVICE', 'SINCE', 'UNTIL', 'BY', 'WHY'],
    needsScope: 'say what to freeze: --environment, --service, both, or --all',
    notATime: (text) => `--until: ${text} is no time: write it as 2026-12-24T18:00:00+08:00`,
    frozen: ({ scope }) => `${scopeText(scope)} is frozen; ways back go on`,
    lifted: ({ scope }) => `${scopeText(scope)} is frozen no more by this`,
  },
  zh: {
    none: '没有冻结。',
    columns: ['冻结', '环境', '服务', '开始时间', '结束时间', '操作者', '原因'],
    needsScope: '请指定冻结范围：--environment、--service、两者，或 --all',
    notATime: (text) => `--until：${text} 不是时间：请写成 2026-12-24T18:00:00+08:00`,
    frozen: ({ id }) => `冻结 ${id} 已生效；回滚不受影响`,
    lifted: ({ id }) => `冻结 ${id} 已解除`,
  },
};

interface FreezeOptions {
  readonly environment?: string;
  readonly service?: string;
  readonly all?: boolean;
  readonly until?: string;
  readonly reason: string;
}

/** `slipway freeze|unfreeze|freezes`: stops for forward moves. */
export function addFreezeCommands(program: Command, act: ActInContext): void {
  program
    .command('freeze')
    .description('stop forward moves, also of releases under way; ways back go on')
    .option('--environment <environment>')
    .option('--service <service>')
    .option('--all', 'everything everywhere')
    .option('--until <time>', 'when it is over by itself, ISO 8601; by default when it is lifted')
    .requiredOption('--reason <reason>', 'why; it is recorded')
    .action(
      act(async (context, { all, environment, reason, service, until }: FreezeOptions) => {
        const say = SAY[context.language];
        const scope = {
          ...(environment === undefined ? {} : { environment }),
          ...(service === undefined ? {} : { service }),
        };
        // Everything is never frozen by a word that was left out.
        if ((all === true) === Object.keys(scope).length > 0) throw new UsageError(say.needsScope);
        if (until !== undefined && Number.isNaN(Date.parse(until))) throw new UsageError(say.notATime(until));
        const freeze = await context.api.call('/v1/freezes', freezeSchema, {
          method: 'POST',
          body: { scope, reason, ...(until === undefined ? {} : { until: new Date(until).toISOString() }) },
          key: randomUUID(),
        });
        context.print(freeze.id, { v: 1, freeze });
        context.tell(say.frozen(freeze));
        return ExitCode.Ok;
      }),
    );

  program
    .command('unfreeze <freeze>')
    .description('lift a freeze: releases go on where they were')
    .requiredOption('--reason <reason>', 'why; it is recorded')
    .action(
      act(async (context, id: string, { reason }: { reason: string }) => {
        const freeze = await context.api.call(`/v1/freezes/${encodeURIComponent(id)}/lift`, freezeSchema, {
          method: 'POST',
          body: { reason },
          key: randomUUID(),
        });
        context.print('', { v: 1, freeze });
        context.tell(SAY[context.language].lifted(freeze));
        return ExitCode.Ok;
      }),
    );

  program
    .command('freezes')
    .description('what is frozen')
    .action(
      act(async (context) => {
        const { freezes } = await context.api.call('/v1/freezes', freezeListSchema);
        const say = SAY[context.language];
        const rows = freezes.map(({ at, by, id, reason, scope, until }) => [
          id,
          scope.environment ?? '*',
          scope.service ?? '*',
          formatTime(at),
          until === undefined ? '' : formatTime(until),
          by,
          reason,
        ]);
        if (freezes.length === 0) context.tell(say.none);
        context.print(freezes.length === 0 ? '' : context.table(say.columns, rows), { v: 1, freezes });
        return ExitCode.Ok;
      }),
    );
}
