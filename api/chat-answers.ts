import type { ControlVerb } from '../domain/controls.ts';
import { type Freeze, type FreezeScope, scopeText } from '../domain/freeze.ts';
import type { ReleaseView } from '../domain/release.ts';
import type { VetoList } from '../domain/schemas/veto.ts';
import type { Veto } from '../domain/veto.ts';
import type { ChatVerb } from './chat-commands.ts';
import type { DriftVerb } from './drift.ts';
import type { Problem } from './problem.ts';
import { type Language, PROBLEM_KINDS } from './problem-titles.ts';
import type { ReleaseName } from './release-runs.ts';
import type { VetoName } from './vetoes.ts';

/** What Slipway says in a chat room. */
export interface ChatAnswers {
  help(): string;
  unknown(): string;
  usage(verb: ChatVerb): string;
  approved(release: ReleaseName, by: string): string;
  rejected(release: ReleaseName, by: string): string;
  aborting(release: ReleaseName, by: string): string;
  rollingBack(release: ReleaseName, by: string): string;
  /** What a word to a release that runs has come to. @param missing how many more people must say so */
  taken(verb: ControlVerb, release: ReleaseName, by: string, missing: number): string;
  frozen(freeze: Freeze): string;
  unfrozen(freeze: Freeze, by: string): string;
  freezes(freezes: readonly Freeze[]): string;
  status(view: ReleaseView): string;
  vetoes(service: string, list: VetoList): string;
  lifted(name: VetoName, veto: Veto, by: string): string;
  resolving(verb: DriftVerb, carriedOutBy: string, by: string): string;
  refused(problem: Problem): string;
}

const USAGE: Readonly<Record<Language, Readonly<Record<ChatVerb, string>>>> = {
  en: {
    approve: 'approve <service>/<key> <plan digest>',
    reject: 'reject <service>/<key> <reason>',
    abort: 'abort <service>/<key> <reason>',
    rollback: 'rollback <service>/<key> <reason>',
    pause: 'pause <service>/<key> <reason>',
    resume: 'resume <service>/<key> <reason>',
    'skip-hold': 'skip-hold <service>/<key> <reason>',
    'skip-analysis': 'skip-analysis <service>/<key> <reason>',
    'retry-step': 'retry-step <service>/<key> <step> <reason>',
    'promote-fully': 'promote-fully <service>/<key> <reason>',
    status: 'status <service>/<key>',
    freeze: 'freeze all|<environment>|<service>|<environment>/<service> <reason>',
    unfreeze: 'unfreeze <freeze> <reason>',
    freezes: 'freezes',
    vetoes: 'vetoes <service>',
    lift: 'lift <environment>/<service> <bundle> <reason>',
    adopt: 'adopt <environment>/<service> <reason>',
    revert: 'revert <environment>/<service> <reason>',
    help: 'help',
  },
  zh: {
    approve: '批准 <服务>/<键> <计划摘要>',
    reject: '拒绝 <服务>/<键> <原因>',
    abort: '中止 <服务>/<键> <原因>',
    rollback: '回滚 <服务>/<键> <原因>',
    pause: '暂停 <服务>/<键> <原因>',
    resume: '继续 <服务>/<键> <原因>',
    'skip-hold': '跳过等待 <服务>/<键> <原因>',
    'skip-analysis': '跳过分析 <服务>/<键> <原因>',
    'retry-step': '重试 <服务>/<键> <步骤> <原因>',
    'promote-fully': '全量发布 <服务>/<键> <原因>',
    status: '状态 <服务>/<键>',
    freeze: '冻结 全部|<环境>|<服务>|<环境>/<服务> <原因>',
    unfreeze: '解冻 <冻结> <原因>',
    freezes: '冻结列表',
    vetoes: '否决 <服务>',
    lift: '解除 <环境>/<服务> <制品> <原因>',
    adopt: '采纳 <环境>/<服务> <原因>',
    revert: '还原 <环境>/<服务> <原因>',
    help: '帮助',
  },
};

const OUTCOMES: Readonly<Record<Language, Readonly<Record<NonNullable<ReleaseView['outcome']> | 'running', string>>>> =
  {
    en: {
      released: 'released',
      'rolled-back': 'rolled back',
      failed: 'failed',
      aborted: 'stopped',
      running: 'running',
    },
    zh: { released: '已发布', 'rolled-back': '已回滚', failed: '失败', aborted: '已中止', running: '进行中' },
  };

/** What has come of a command, before the name of the release. */
const DONE: Readonly<Record<Language, Readonly<Record<ControlVerb, string>>>> = {
  en: {
    pause: 'paused',
    resume: 'resumed',
    'skip-hold': 'skipped the hold of',
    'skip-analysis': 'skipped the analysis of',
    'retry-step': 'tried a step again of',
    'promote-fully': 'promoted fully',
  },
  zh: {
    pause: '已暂停',
    resume: '已继续',
    'skip-hold': '已跳过等待',
    'skip-analysis': '已跳过分析',
    'retry-step': '已重试',
    'promote-fully': '已全量发布',
  },
};

function scopeTextZh({ environment, service }: FreezeScope): string {
  return [environment, service].filter((part) => part !== undefined).join('/') || '全部';
}

const freezeLine = ({ at, by, id, reason, scope, until }: Freeze): string =>
  `${id} ${[scope.environment, scope.service].filter((part) => part !== undefined).join('/') || '*'} (${at}${until === undefined ? '' : ` - ${until}`}) ${by}: ${reason}`;
const vetoLine = ({ environment, veto }: VetoList['vetoes'][number]): string =>
  `${environment}: ${veto.version} ${veto.bundle} (${veto.at}): ${veto.reason}`;
const name = ({ service, key }: ReleaseName): string => `${service}/${key}`;

export const CHAT_ANSWERS: Readonly<Record<Language, ChatAnswers>> = {
  en: {
    help: () => ['I understand:', ...Object.values(USAGE.en)].join('\n'),
    unknown: () => 'I did not understand that. Say help to see what I do.',
    usage: (verb) => `Say: ${USAGE.en[verb]}`,
    approved: (release, by) => `${by} approved ${name(release)}.`,
    rejected: (release, by) => `${by} refused ${name(release)}; it is being undone.`,
    aborting: (release, by) => `${by} stopped ${name(release)}; it is being undone.`,
    rollingBack: (release, by) => `${by} rolls back; ${name(release)} carries it out.`,
    status: (view) => statusLines(view, 'en', 'Step', 'Waiting', 'Ended by', 'Plan', 'Failure').join('\n'),
    taken: (verb, release, by, missing) =>
      missing === 0
        ? `${by}: ${DONE.en[verb]} ${name(release)}.`
        : `${by} said ${verb} to ${name(release)}; ${missing === 1 ? 'one more person' : `${missing} more people`} must say so.`,
    frozen: ({ by, id, reason, scope }) => `${by} froze ${scopeText(scope)} (${id}): ${reason}`,
    unfrozen: ({ id, scope }, by) => `${by} lifted the freeze ${id} of ${scopeText(scope)}.`,
    freezes: (freezes) => (freezes.length === 0 ? 'Nothing is frozen.' : freezes.map(freezeLine).join('\n')),
    vetoes: (service, { vetoes }) =>
      vetoes.length === 0 ? `Nothing of ${service} is vetoed.` : vetoes.map(vetoLine).join('\n'),
    lifted: ({ environment }, veto, by) => `${by} lifted the veto: ${veto.version} may go to ${environment} again.`,
    resolving: (verb, carriedOutBy, by) => `${by} ${verb}s what was changed by hand; ${carriedOutBy} carries it out.`,
    refused: (problem) => `${PROBLEM_KINDS[problem.code].title.en}: ${problem.message} (${problem.code})`,
  },
  zh: {
    help: () => ['我能听懂：', ...Object.values(USAGE.zh)].join('\n'),
    unknown: () => '没听懂。说“帮助”看看我能做什么。',
    usage: (verb) => `请说：${USAGE.zh[verb]}`,
    approved: (release, by) => `${by} 已批准 ${name(release)}。`,
    rejected: (release, by) => `${by} 已拒绝 ${name(release)}，正在撤销。`,
    aborting: (release, by) => `${by} 已中止 ${name(release)}，正在撤销。`,
    rollingBack: (release, by) => `${by} 发起回滚，由 ${name(release)} 执行。`,
    status: (view) => statusLines(view, 'zh', '步骤', '等待', '由谁结束', '计划', '失败').join('\n'),
    taken: (verb, release, by, missing) =>
      missing === 0
        ? `${by}：${DONE.zh[verb]} ${name(release)}。`
        : `${by} 已对 ${name(release)} 表示${DONE.zh[verb].replace('已', '')}，还需 ${missing} 人。`,
    frozen: ({ by, id, reason, scope }) => `${by} 已冻结 ${scopeTextZh(scope)}（${id}）：${reason}`,
    unfrozen: ({ id, scope }, by) => `${by} 已解除 ${scopeTextZh(scope)} 的冻结 ${id}。`,
    freezes: (freezes) => (freezes.length === 0 ? '没有冻结。' : freezes.map(freezeLine).join('\n')),
    vetoes: (service, { vetoes }) =>
      vetoes.length === 0 ? `${service} 没有被否决的制品。` : vetoes.map(vetoLine).join('\n'),
    lifted: ({ environment }, veto, by) => `${by} 已解除否决：${veto.version} 可以再次发布到 ${environment}。`,
    resolving: (verb, carriedOutBy, by) =>
      `${by} ${verb === 'adopt' ? '采纳' : '还原'}手工修改，由 ${carriedOutBy} 执行。`,
    refused: (problem) => `${PROBLEM_KINDS[problem.code].title.zh}：${problem.message}（${problem.code}）`,
  },
};

function statusLines(
  view: ReleaseView,
  language: Language,
  ...[step, waiting, endedBy, plan, failure]: readonly [string, string, string, string, string]
): string[] {
  const running = view.steps.find(({ outcome }) => outcome === 'running');
  const title = [view.id.replace(/^release\//, ''), view.version].filter((part) => part !== undefined).join(' ');
  return [
    `${title}: ${OUTCOMES[language][view.outcome ?? 'running']}`,
    ...(running === undefined ? [] : [`${step}: ${running.id}`]),
    ...(view.wait === undefined
      ? []
      : [`${waiting}: ${view.wait.sentence}`, `${endedBy}: ${view.wait.endedBy} (${view.wait.deadline})`]),
    ...(view.outcome === undefined && view.plan !== undefined ? [`${plan}: ${view.plan.digest}`] : []),
    ...(view.failure === undefined ? [] : [`${failure}: ${view.failure.message} (${view.failure.type})`]),
  ];
}
