import { counted } from '../domain/counted.ts';
import type { Plan, Step } from '../domain/plan.ts';
import { formatDuration } from './duration.ts';
import { type Language, MESSAGES } from './messages.ts';
import { renderPlanChanges } from './render-plan-changes.ts';
import { renderTable } from './render-table.ts';

/** A plan as a table of what each step does, under its digest. */
export function renderPlan(plan: Plan, options: { readonly width: number; readonly language: Language }): string[] {
  const say = MESSAGES[options.language];
  const describe = options.language === 'zh' ? describeZh : describeEn;
  const rows = plan.steps.map((step, index) => [String(index + 1), step.id, describe(step, plan)]);
  return [
    say.planOf(plan.service, plan.version),
    say.commit(plan.commit),
    ...renderTable(['#', say.columns.step, say.columns.does], rows, options.width),
    ...renderPlanChanges(plan, options.language),
    ...(plan.vetoes ?? []).map((veto) => say.vetoed(veto)),
    ...(plan.freezes ?? []).map((frozen) => say.frozen(frozen)),
    say.plan(plan.digest),
  ];
}

type ShiftStep = Extract<Step, { kind: 'shift' }>;

const time = (seconds: number) => formatDuration(seconds * 1000);

function describeEn(step: Step, plan: Plan): string {
  switch (step.kind) {
    case 'build':
      return 'builds and pushes the image';
    case 'deploy':
      return `starts ${counted(step.instances, 'instance')} in ${step.environment}${from(plan, step.environment, ', replacing ')}`;
    case 'test':
      return `runs ${step.suites.join(', ')} against ${step.environment}`;
    case 'promote':
      return `tags the tested image ${step.tag}`;
    case 'approve':
      return `waits for ${step.count === 1 ? 'an approval' : `${step.count} approvals`}${step.group === undefined ? '' : ` of ${step.group}`} to go on in ${step.environment}, at most ${time(step.expiresSeconds)}`;
    case 'shift':
      return [
        `brings ${step.environment} to ${counted(step.instances, 'instance')} with ${step.weight} % of traffic`,
        ...(step.baseline
          ? [
              `beside ${counted(step.baseline.instances, 'fresh instance')} of the old revision with ${step.baseline.weight} %`,
            ]
          : []),
        ...keepsEn(step, plan),
        ...(step.order === 'down-first' ? ['old instances stop before new ones start'] : []),
        ...(step.order === 'at-once' ? ['old instances stop while new ones start'] : []),
      ].join(', ');
    case 'hold':
      return `holds ${step.environment} as it is for ${time(step.seconds)}${step.watch ? `, watched by ${step.watch.name}` : ''}`;
    case 'judge':
      return `judges ${step.environment} by ${step.name}${from(plan, step.environment, ' against ')}, at most ${time(step.moreSeconds)} longer`;
    case 'bake':
      return staysWarm(plan, step.environment)
        ? `keeps the old revision in ${step.environment} warm for ${time(step.seconds)}`
        : `waits ${time(step.seconds)}; ${step.environment} has no old instances to keep warm`;
    case 'retire':
      return replaces(plan, step.environment)
        ? `stops the old revision in ${step.environment}${from(plan, step.environment, ', ')}`
        : `stops nothing: ${step.environment} has no old revision`;
  }
}

function describeZh(step: Step, plan: Plan): string {
  switch (step.kind) {
    case 'build':
      return '构建并推送镜像';
    case 'deploy':
      return `在 ${step.environment} 启动 ${step.instances} 个实例${from(plan, step.environment, '，替换 ')}`;
    case 'test':
      return `对 ${step.environment} 运行 ${step.suites.join('、')}`;
    case 'promote':
      return `给测试过的镜像打标签 ${step.tag}`;
    case 'approve':
      return `等待${step.group === undefined ? '' : ` ${step.group} 的`} ${step.count} 人批准 ${step.environment}，最长 ${time(step.expiresSeconds)}`;
    case 'shift':
      return [
        `${step.environment} 增至 ${step.instances} 个实例、${step.weight} % 流量`,
        ...(step.baseline ? [`旁有旧版次的 ${step.baseline.instances} 个新实例、${step.baseline.weight} % 流量`] : []),
        ...(keeps(step, plan) ? [`旧版次保留 ${step.keep} 个实例`] : []),
        ...(step.order === 'down-first' ? ['先停旧实例再启动新实例'] : []),
        ...(step.order === 'at-once' ? ['停旧实例的同时启动新实例'] : []),
      ].join('，');
    case 'hold':
      return `${step.environment} 保持不变 ${time(step.seconds)}${step.watch ? `，由 ${step.watch.name} 观察` : ''}`;
    case 'judge':
      return `按 ${step.name} 判定 ${step.environment}${from(plan, step.environment, '，对照 ')}，最多延长 ${time(step.moreSeconds)}`;
    case 'bake':
      return staysWarm(plan, step.environment)
        ? `${step.environment} 的旧版次保温 ${time(step.seconds)}`
        : `等待 ${time(step.seconds)}；${step.environment} 没有要保温的旧实例`;
    case 'retire':
      return replaces(plan, step.environment)
        ? `停止 ${step.environment} 的旧版次${from(plan, step.environment, ' ')}`
        : `${step.environment} 没有要停止的旧版次`;
  }
}

/** Said only where a shift stops instances of the old revision. */
function keepsEn(step: ShiftStep, plan: Plan): string[] {
  if (!keeps(step, plan)) return [];
  return [step.keep === 0 ? 'none of the old revision stays' : `${step.keep} of the old revision stay`];
}

function keeps({ environment, keep }: ShiftStep, plan: Plan): boolean {
  const before = plan.from[environment];
  return before !== null && before !== undefined && keep < before.instances;
}

function from(plan: Plan, environment: string, words: string): string {
  const before = plan.from[environment];
  return before ? `${words}${before.revision}` : '';
}

/** Whether something served in the environment when the plan was made. */
function replaces(plan: Plan, environment: string): boolean {
  return plan.from[environment] !== null && plan.from[environment] !== undefined;
}

/** Whether instances of the old revision stay when the last shift is over. */
function staysWarm(plan: Plan, environment: string): boolean {
  const last = plan.steps.filter((step) => step.kind === 'shift' && step.environment === environment).at(-1);
  return last?.kind === 'shift' && last.keep > 0;
}
