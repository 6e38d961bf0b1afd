import { counted } from '../domain/counted.ts';
import type { Plan, Step } from '../domain/plan.ts';
import { formatDuration } from './duration.ts';
import { type Language, MESSAGES } from './messages.ts';
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
    say.plan(plan.digest),
  ];
}

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
      return `waits for ${step.count === 1 ? 'an approval' : `${step.count} approvals`} to go to ${step.environment}, at most ${time(step.expiresSeconds)}`;
    case 'canary':
      return `starts ${counted(step.instances, 'instance')} in ${step.environment} with ${step.weight} % of traffic, judged for ${time(step.holdSeconds)}${from(plan, step.environment, ' against ')}`;
    case 'shift':
      return `brings ${step.environment} to ${counted(step.instances, 'instance')} and ${step.weight} % of traffic`;
    case 'bake':
      return replaces(plan, step.environment)
        ? `keeps the old revision in ${step.environment} warm for ${time(step.seconds)}`
        : `waits ${time(step.seconds)}; ${step.environment} has no old revision to keep warm`;
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
      return `等待 ${step.count} 人批准发布到 ${step.environment}，最长 ${time(step.expiresSeconds)}`;
    case 'canary':
      return `在 ${step.environment} 启动 ${step.instances} 个实例，承担 ${step.weight} % 流量，观察 ${time(step.holdSeconds)}${from(plan, step.environment, '，对照 ')}`;
    case 'shift':
      return `${step.environment} 增至 ${step.instances} 个实例、${step.weight} % 流量`;
    case 'bake':
      return replaces(plan, step.environment)
        ? `${step.environment} 的旧版次保温 ${time(step.seconds)}`
        : `等待 ${time(step.seconds)}；${step.environment} 没有要保温的旧版次`;
    case 'retire':
      return replaces(plan, step.environment)
        ? `停止 ${step.environment} 的旧版次${from(plan, step.environment, ' ')}`
        : `${step.environment} 没有要停止的旧版次`;
  }
}

function from(plan: Plan, environment: string, words: string): string {
  return replaces(plan, environment) ? `${words}${plan.from[environment]}` : '';
}

/** Whether something served in the environment when the plan was made. */
function replaces(plan: Plan, environment: string): boolean {
  return typeof plan.from[environment] === 'string';
}
