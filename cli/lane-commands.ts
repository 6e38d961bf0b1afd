import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import type { NamedDifference } from '../domain/drift-sentences.ts';
import { acceptedSchema, type Lane, laneSchema } from '../domain/schemas/api.ts';
import type { ActInContext } from './context.ts';
import { formatTime } from './duration.ts';
import { ExitCode } from './exit-codes.ts';
import type { Language } from './messages.ts';

interface Say {
  serves(revision: string, version: string, instances: number): string;
  readonly nothing: string;
  heldBy(holder: string): string;
  waiting(queue: string): string;
  goBack(versions: string): string;
  changed(since: string): string;
  differs(difference: NamedDifference): string;
  how(environment: string, service: string): string;
  taken(id: string): string;
}

const SAY: Readonly<Record<Language, Say>> = {
  en: {
    serves: (revision, version, instances) => `${revision} (${version}) serves with ${instances} instances`,
    nothing: 'nothing serves',
    heldBy: (holder) => `held by ${holder}`,
    waiting: (queue) => `waiting: ${queue}`,
    goBack: (versions) => `can go back to: ${versions}`,
    changed: (since) => `changed by hand, seen at ${since}:`,
    differs: ({ sentence }) => `  ${sentence}`,
    how: (environment, service) =>
      `take it over: slipway lane adopt ${environment} ${service} --reason "..."; put it back: slipway lane revert ...`,
    taken: (id) => `${id} carries it out`,
  },
  zh: {
    serves: (revision, version, instances) => `${revision}（${version}）以 ${instances} 个实例提供服务`,
    nothing: '没有运行的版本',
    heldBy: (holder) => `由 ${holder} 占用`,
    waiting: (queue) => `等待：${queue}`,
    goBack: (versions) => `可回退到：${versions}`,
    changed: (since) => `被手工修改，发现于 ${since}：`,
    differs: ({ sentenceZh }) => `  ${sentenceZh}`,
    how: (environment, service) =>
      `采纳：slipway lane adopt ${environment} ${service} --reason "..."；还原：slipway lane revert ...`,
    taken: (id) => `由 ${id} 执行`,
  },
};

/** What a person is shown of a lane that was changed by hand; nothing where nothing was. */
export function driftLines({ drift, state }: Lane, language: Language): string[] {
  if (!drift) return [];
  const say = SAY[language];
  return [
    `${state.environment}/${state.service}: ${say.changed(formatTime(drift.since))}`,
    ...drift.differences.map((difference) => say.differs(difference)),
    ...(drift.resolution === undefined ? [] : [`  ${drift.resolution}`]),
    `  ${say.how(state.environment, state.service)}`,
  ];
}

/** `slipway lane show|adopt|revert`: one service in one environment, and what was changed there by hand. */
export function addLaneCommands(program: Command, act: ActInContext): void {
  const lane = program.command('lane').description('one service in one environment');
  lane
    .command('show <environment> <service>')
    .description('what serves, who holds and waits, what can be gone back to, and what was changed by hand')
    .action(
      act(async (context, environment: string, service: string) => {
        const found = await context.api.call(pathOf(environment, service), laneSchema);
        context.print(laneLines(found, context.language), { v: 1, lane: found });
        return ExitCode.Ok;
      }),
    );
  const verbs = [
    ['adopt', 'take over what was changed by hand: from then on it is how it shall be'],
    ['revert', 'put back what was changed by hand'],
  ] as const;
  for (const [verb, description] of verbs) {
    lane
      .command(`${verb} <environment> <service>`)
      .description(description)
      .requiredOption('--reason <reason>', 'why; it is recorded')
      .action(
        act(async (context, environment: string, service: string, options: { reason: string }) => {
          const taken = await context.api.call(`${pathOf(environment, service)}/${verb}`, acceptedSchema, {
            method: 'POST',
            body: { reason: options.reason },
            key: randomUUID(),
          });
          context.print('', { v: 1, ...taken });
          context.tell(SAY[context.language].taken(taken.id));
          return ExitCode.Ok;
        }),
      );
  }
}

const pathOf = (environment: string, service: string): string =>
  `/v1/lanes/${encodeURIComponent(environment)}/${encodeURIComponent(service)}`;

function laneLines(lane: Lane, language: Language): string[] {
  const say = SAY[language];
  const { holder, queue, state } = lane;
  const { current, earlier = [] } = state;
  return [
    current ? say.serves(current.revision, current.bundle.version, current.instances) : say.nothing,
    ...(holder === undefined ? [] : [say.heldBy(holder)]),
    ...(queue.length === 0 ? [] : [say.waiting(queue.join(', '))]),
    ...(earlier.length === 0
      ? []
      : [say.goBack(earlier.map(({ bundle }) => `${bundle.version} (${bundle.id})`).join(', '))]),
    ...driftLines(lane, language),
  ];
}
