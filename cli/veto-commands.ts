import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { vetoListSchema, vetoSchema } from '../domain/schemas/veto.ts';
import type { ActInContext } from './context.ts';
import { formatTime } from './duration.ts';
import { ExitCode } from './exit-codes.ts';
import type { Language } from './messages.ts';

interface Say {
  readonly none: string;
  readonly columns: readonly string[];
  lifted(version: string, environment: string): string;
}

const SAY: Readonly<Record<Language, Say>> = {
  en: {
    none: 'No vetoes.',
    columns: ['ENVIRONMENT', 'SERVICE', 'BUNDLE', 'VERSION', 'SINCE', 'WHY'],
    lifted: (version, environment) => `${version} may go to ${environment} again`,
  },
  zh: {
    none: '没有否决。',
    columns: ['环境', '服务', '制品', '版本', '开始时间', '原因'],
    lifted: (version, environment) => `${version} 可以再次发布到 ${environment}`,
  },
};

/** `slipway veto list|lift`: bundles that were rolled back, and letting one come again. */
export function addVetoCommands(program: Command, act: ActInContext): void {
  const veto = program.command('veto').description('bundles that were rolled back and may not come again');
  veto
    .command('list [service]')
    .description('which bundles may not come again, where, and why')
    .option('--environment <environment>')
    .action(
      act(async (context, service: string | undefined, options: { environment?: string }) => {
        const query = new URLSearchParams();
        if (service !== undefined) query.set('service', service);
        if (options.environment !== undefined) query.set('environment', options.environment);
        const { vetoes } = await context.api.call(`/v1/vetoes?${query}`, vetoListSchema);
        const say = SAY[context.language];
        const rows = vetoes.map(({ environment, service, veto: { at, bundle, reason, version } }) => [
          environment,
          service,
          bundle,
          version,
          formatTime(at),
          reason,
        ]);
        if (vetoes.length === 0) context.tell(say.none);
        context.print(vetoes.length === 0 ? '' : context.table(say.columns, rows), { v: 1, vetoes });
        return ExitCode.Ok;
      }),
    );
  veto
    .command('lift <environment> <service> <bundle>')
    .description('let a bundle that was rolled back come again')
    .requiredOption('--reason <reason>', 'why; it is recorded')
    .action(
      act(async (context, environment: string, service: string, bundle: string, options: { reason: string }) => {
        const [where, what, which] = [environment, service, bundle].map(encodeURIComponent);
        const lifted = await context.api.call(`/v1/lanes/${where}/${what}/vetoes/${which}/lift`, vetoSchema, {
          method: 'POST',
          body: { reason: options.reason },
          key: randomUUID(),
        });
        context.print('', { v: 1, veto: lifted });
        context.tell(SAY[context.language].lifted(lifted.version, environment));
        return ExitCode.Ok;
      }),
    );
}
