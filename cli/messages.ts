import { type DriftView, sayAll } from '../domain/drift-sentences.ts';
import type { Verdict } from '../domain/judge/verdict.ts';
import type { PlanFreeze, PlanVeto } from '../domain/plan.ts';
import type { ReleaseOutcome, StepOutcome } from '../domain/release.ts';
import type { ExitCode } from './exit-codes.ts';

export type Language = 'en' | 'zh';

/** Every sentence of the command line; what the API says itself comes as it is. */
export interface Messages {
  readonly outcomes: Readonly<Record<ReleaseOutcome | 'running', string>>;
  readonly steps: Readonly<Record<StepOutcome, string>>;
  readonly verdicts: Readonly<Record<'pass' | 'fail' | 'inconclusive', string>>;
  readonly exitCodes: Readonly<Record<ExitCode, string>>;
  requestedBy(who: string): string;
  commit(commit: string): string;
  plan(digest: string): string;
  planOf(service: string, version: string): string;
  waiting(sentence: string): string;
  endedBy(who: string): string;
  toApprove(release: string): string;
  vetoed(veto: PlanVeto): string;
  frozen(frozen: PlanFreeze): string;
  changedByHand(drift: DriftView): string;
  toResolve(lane: string): string;
  deadline(time: string, then: string): string;
  approvedBy(who: string, time: string): string;
  verdict(verdict: Verdict): string;
  rule(rule: string): string;
  moreErrors(evidence: string, ofFresh: string | undefined): string;
  errorIncrease(value: string, low: string, high: string): string;
  slowdown(value: string, low: string, high: string): string;
  p99(value: string, low: string, high: string): string;
  judgedFrom(inputHash: string, judgeVersion: number): string;
  readonly unbounded: string;
  manifestHolds(file: string, service: string, version: string): string;
  auditHolds(rows: number, hash: string): string;
  auditBroken(number: number, reason: string): string;
  rollback(environment: string, reason: string): string;
  trafficBack(duration: string): string;
  restored(duration: string): string;
  failure(type: string, message: string, step: string | undefined): string;
  started(release: string): string;
  hasEnded(release: string, outcome: string): string;
  goesOn(release: string): string;
  stillRunning(release: string, duration: string): string;
  approved(release: string): string;
  taken(release: string): string;
  confirmApproval(digest: string): string;
  readonly notConfirmed: string;
  readonly approvalNeedsDigest: string;
  nothingToApprove(release: string): string;
  streamLost(reason: string): string;
  apiAway(reason: string): string;
  notAReleaseName(text: string): string;
  readonly needsToken: string;
  readonly needsSource: string;
  readonly nothingRunsYet: string;
  readonly noReleases: string;
  readonly moreReleases: string;
  readonly columns: Readonly<
    Record<
      | 'release'
      | 'outcome'
      | 'stage'
      | 'started'
      | 'environment'
      | 'service'
      | 'revision'
      | 'instances'
      | 'version'
      | 'holder'
      | 'step'
      | 'does',
      string
    >
  >;
}

const en: Messages = {
  outcomes: {
    released: 'released',
    'rolled-back': 'rolled back',
    failed: 'failed',
    aborted: 'stopped',
    running: 'running',
  },
  steps: { waiting: 'to do', running: 'running', done: 'done', failed: 'failed', skipped: 'skipped', undone: 'undone' },
  verdicts: { pass: 'pass', fail: 'fail', inconclusive: 'inconclusive' },
  exitCodes: {
    0: 'success',
    1: 'something unexpected',
    2: 'the command or the request has errors',
    3: 'still running when --timeout ended',
    4: 'no token, or not allowed',
    5: 'the release failed, or was rolled back',
    6: 'refused, stopped, or the approval expired',
    7: 'conflict: another plan, another order, a lane that is held, a state that does not allow it',
    8: 'what was recorded does not hold',
    130: 'interrupted; the release goes on',
  },
  requestedBy: (who) => `asked for by ${who}`,
  commit: (commit) => `commit ${commit}`,
  plan: (digest) => `plan ${digest}`,
  planOf: (service, version) => `Plan of ${service} ${version}`,
  waiting: (sentence) => sentence,
  endedBy: (who) => `ended by ${who}`,
  toApprove: (release) => `approve: slipway approve ${release}`,
  vetoed: ({ sentence }) => `vetoed: ${sentence}`,
  frozen: ({ freeze, sentence }) => `would wait: ${sentence}, until ${freeze.until ?? 'somebody lifts it'}`,
  changedByHand: ({ differences, environment }) => `changed by hand in ${environment}: ${sayAll(differences).en}`,
  toResolve: (lane) => `resolve: slipway lane adopt ${lane}, or slipway lane revert ${lane}`,
  deadline: (time, then) => `until ${time}, then ${then}`,
  approvedBy: (who, time) => `approved by ${who}, ${time}`,
  verdict: ({ result, sentence }) => `verdict ${en.verdicts[result]}: ${sentence}`,
  rule: (rule) => `rule ${rule}`,
  moreErrors: (evidence, ofFresh) =>
    `evidence of more errors ${evidence}${ofFresh === undefined ? '' : ` (by fresh instances alone ${ofFresh})`}`,
  errorIncrease: (value, low, high) => `errors ${value} points (${low} to ${high})`,
  slowdown: (value, low, high) => `slower by ${value} % (${low} to ${high})`,
  p99: (value, low, high) => `p99 ${value} ms (${low} to ${high})`,
  judgedFrom: (inputHash, judgeVersion) => `judge ${judgeVersion} on ${inputHash}`,
  unbounded: 'no bound',
  manifestHolds: (file, service, version) => `${file} describes ${service} ${version} without a mistake`,
  auditHolds: (rows, hash) => `the audit holds: ${rows} rows, the last one is ${hash}`,
  auditBroken: (number, reason) => `the audit does not hold from row ${number} on: ${reason}`,
  rollback: (environment, reason) => `rollback in ${environment}: ${reason}`,
  trafficBack: (duration) => `traffic back after ${duration}`,
  restored: (duration) => `all restored after ${duration}`,
  failure: (type, message, step) => `${type}${step === undefined ? '' : ` in ${step}`}: ${message}`,
  started: (release) => `${release} runs; watch it with: slipway status ${release} --watch`,
  hasEnded: (release, outcome) => `${release} has ended: ${outcome}`,
  goesOn: (release) => `${release} goes on; watch it with: slipway status ${release} --watch`,
  stillRunning: (release, duration) => `${release} still runs after ${duration}`,
  approved: (release) => `${release} is approved`,
  taken: (release) => `${release} carries it out`,
  confirmApproval: (digest) => `Approve the plan ${digest}? Type yes: `,
  notConfirmed: 'Not approved.',
  approvalNeedsDigest: 'give --plan-digest: without a terminal nobody can look at the plan',
  nothingToApprove: (release) => `${release} has no plan yet`,
  streamLost: (reason) => `lost sight of the release, trying again: ${reason}`,
  apiAway: (reason) => `trying again: ${reason}`,
  notAReleaseName: (text) => `${text} names no release: write <service>/<key>`,
  needsToken: 'no token: set SLIPWAY_TOKEN or give --token',
  needsSource: 'give either --ref or --bundle',
  nothingRunsYet: 'Nothing runs yet.',
  noReleases: 'No releases.',
  moreReleases: 'There are more; see --limit.',
  columns: {
    release: 'RELEASE',
    outcome: 'STATE',
    stage: 'STEP',
    started: 'STARTED',
    environment: 'ENVIRONMENT',
    service: 'SERVICE',
    revision: 'REVISION',
    instances: 'INSTANCES',
    version: 'VERSION',
    holder: 'HELD BY',
    step: 'STEP',
    does: 'DOES',
  },
};

const zh: Messages = {
  outcomes: { released: '已发布', 'rolled-back': '已回滚', failed: '失败', aborted: '已中止', running: '进行中' },
  steps: { waiting: '待执行', running: '进行中', done: '完成', failed: '失败', skipped: '跳过', undone: '已撤销' },
  verdicts: { pass: '通过', fail: '不通过', inconclusive: '无法判定' },
  exitCodes: {
    0: '成功',
    1: '意外错误',
    2: '命令或请求有误',
    3: '--timeout 到期时仍在进行',
    4: '没有令牌或无权限',
    5: '发布失败或已回滚',
    6: '被拒绝、被中止或审批过期',
    7: '冲突：计划不同、请求不同、通道被占用或状态不允许',
    8: '记录不成立',
    130: '被中断；发布仍在继续',
  },
  requestedBy: (who) => `由 ${who} 发起`,
  commit: (commit) => `提交 ${commit}`,
  plan: (digest) => `计划 ${digest}`,
  planOf: (service, version) => `${service} ${version} 的计划`,
  waiting: (sentence) => sentence,
  endedBy: (who) => `由以下结束：${who}`,
  toApprove: (release) => `批准：slipway approve ${release}`,
  vetoed: ({ sentence }) => `已否决：${sentence}`,
  frozen: ({ freeze, sentence }) =>
    `将等待：${sentence}，直到${freeze.until === undefined ? '有人解冻' : ` ${freeze.until}`}`,
  changedByHand: ({ differences, environment }) => `${environment} 被手工修改：${sayAll(differences).zh}`,
  toResolve: (lane) => `处理：slipway lane adopt ${lane}，或 slipway lane revert ${lane}`,
  deadline: (time, then) => `期限 ${time}，届时：${then}`,
  approvedBy: (who, time) => `${who} 已批准，${time}`,
  verdict: ({ result, sentenceZh }) => `判定 ${zh.verdicts[result]}：${sentenceZh}`,
  rule: (rule) => `规则 ${rule}`,
  moreErrors: (evidence, ofFresh) =>
    `错误更多的证据 ${evidence}${ofFresh === undefined ? '' : `（只看新实例 ${ofFresh}）`}`,
  errorIncrease: (value, low, high) => `错误率差 ${value} 个百分点（${low} 至 ${high}）`,
  slowdown: (value, low, high) => `慢 ${value} %（${low} 至 ${high}）`,
  p99: (value, low, high) => `p99 ${value} 毫秒（${low} 至 ${high}）`,
  judgedFrom: (inputHash, judgeVersion) => `判定器 ${judgeVersion}，依据 ${inputHash}`,
  unbounded: '无界',
  manifestHolds: (file, service, version) => `${file} 描述了 ${service} ${version}，没有错误`,
  auditHolds: (rows, hash) => `审计链完整：${rows} 行，末行为 ${hash}`,
  auditBroken: (number, reason) => `审计链从第 ${number} 行起不成立：${reason}`,
  rollback: (environment, reason) => `${environment} 回滚：${reason}`,
  trafficBack: (duration) => `流量在 ${duration} 后恢复`,
  restored: (duration) => `全部在 ${duration} 后恢复`,
  failure: (type, message, step) => `${type}${step === undefined ? '' : `（${step}）`}：${message}`,
  started: (release) => `${release} 已开始；查看：slipway status ${release} --watch`,
  hasEnded: (release, outcome) => `${release} 已结束：${outcome}`,
  goesOn: (release) => `${release} 仍在继续；查看：slipway status ${release} --watch`,
  stillRunning: (release, duration) => `${duration} 后 ${release} 仍在进行`,
  approved: (release) => `${release} 已批准`,
  taken: (release) => `由 ${release} 执行`,
  confirmApproval: (digest) => `批准计划 ${digest}？请输入 yes：`,
  notConfirmed: '未批准。',
  approvalNeedsDigest: '请给出 --plan-digest：没有终端就无法查看计划',
  nothingToApprove: (release) => `${release} 还没有计划`,
  streamLost: (reason) => `看不到发布状态，正在重试：${reason}`,
  apiAway: (reason) => `正在重试：${reason}`,
  notAReleaseName: (text) => `${text} 不是发布名：请写 <服务>/<键>`,
  needsToken: '没有令牌：请设置 SLIPWAY_TOKEN 或给出 --token',
  needsSource: '请给出 --ref 或 --bundle 之一',
  nothingRunsYet: '还没有运行任何版本。',
  noReleases: '没有发布。',
  moreReleases: '还有更多；见 --limit。',
  columns: {
    release: '发布',
    outcome: '状态',
    stage: '步骤',
    started: '开始时间',
    environment: '环境',
    service: '服务',
    revision: '版次',
    instances: '实例',
    version: '版本',
    holder: '占用者',
    step: '步骤',
    does: '内容',
  },
};

export const MESSAGES: Readonly<Record<Language, Messages>> = { en, zh };

/** The language of the screens: as asked, else as the locale of the terminal says. */
export function languageOf(asked: string | undefined, env: NodeJS.ProcessEnv): Language {
  const locale = asked ?? (env['LC_ALL'] || env['LC_MESSAGES'] || env['LANG'] || 'en');
  return /^zh([_.-]|$)/i.test(locale) ? 'zh' : 'en';
}
