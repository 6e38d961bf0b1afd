import type { ControlVerb } from '../domain/controls.ts';
import { parseReleaseName } from '../domain/schemas/api.ts';
import type { DriftVerb, LaneName } from './drift.ts';
import type { Language } from './problem-titles.ts';
import type { ReleaseName } from './release-runs.ts';
import type { VetoName } from './vetoes.ts';

/** What somebody said in a chat room, understood. */
export type ChatCommand =
  /** `planDigest` may be cut short, as people copy it: at least 12 of its hex digits. */
  | { readonly verb: 'approve'; readonly release: ReleaseName; readonly planDigest: string }
  | { readonly verb: 'reject' | 'abort' | 'rollback'; readonly release: ReleaseName; readonly reason: string }
  | { readonly verb: 'status'; readonly release: ReleaseName }
  | { readonly verb: ControlVerb; readonly release: ReleaseName; readonly step?: string; readonly reason: string }
  | { readonly verb: 'freezes' }
  /** `scope` is `all`, an environment, a service, or `<environment>/<service>`. */
  | { readonly verb: 'freeze'; readonly scope: string; readonly reason: string }
  | { readonly verb: 'unfreeze'; readonly id: string; readonly reason: string }
  | { readonly verb: 'vetoes'; readonly service: string }
  | { readonly verb: 'lift'; readonly veto: VetoName; readonly reason: string }
  | { readonly verb: DriftVerb; readonly lane: LaneName; readonly reason: string }
  | { readonly verb: 'help' }
  /** The verb was known, what follows it was not right. */
  | { readonly verb: 'usage'; readonly of: ChatVerb }
  | { readonly verb: 'unknown' };

export type ChatVerb =
  | 'approve'
  | 'reject'
  | 'abort'
  | 'rollback'
  | ControlVerb
  | 'status'
  | 'freeze'
  | 'unfreeze'
  | 'freezes'
  | 'vetoes'
  | 'lift'
  | DriftVerb
  | 'help';

const VERBS: Readonly<Record<Language, Readonly<Record<string, ChatVerb>>>> = {
  en: {
    approve: 'approve',
    reject: 'reject',
    abort: 'abort',
    rollback: 'rollback',
    pause: 'pause',
    resume: 'resume',
    'skip-hold': 'skip-hold',
    'skip-analysis': 'skip-analysis',
    'retry-step': 'retry-step',
    'promote-fully': 'promote-fully',
    status: 'status',
    freeze: 'freeze',
    unfreeze: 'unfreeze',
    freezes: 'freezes',
    vetoes: 'vetoes',
    lift: 'lift',
    adopt: 'adopt',
    revert: 'revert',
    help: 'help',
  },
  zh: {
    批准: 'approve',
    拒绝: 'reject',
    中止: 'abort',
    回滚: 'rollback',
    暂停: 'pause',
    继续: 'resume',
    跳过等待: 'skip-hold',
    跳过分析: 'skip-analysis',
    重试: 'retry-step',
    全量发布: 'promote-fully',
    状态: 'status',
    冻结: 'freeze',
    解冻: 'unfreeze',
    冻结列表: 'freezes',
    否决: 'vetoes',
    解除: 'lift',
    采纳: 'adopt',
    还原: 'revert',
    帮助: 'help',
  },
};

/** Reads `<verb> <release> ...`; the answer is to be in the language of the verb. */
export function parseChatCommand(text: string): { readonly command: ChatCommand; readonly language: Language } {
  const [word = '', name = '', ...rest] = text.trim().split(/\s+/);
  const english = lookUp(VERBS.en, word.toLowerCase());
  const verb = english ?? lookUp(VERBS.zh, word);
  const language: Language = english === undefined && /\p{Script=Han}/u.test(text) ? 'zh' : 'en';
  return { command: verb === undefined ? { verb: 'unknown' } : understand(verb, name, rest), language };
}

function understand(verb: ChatVerb, name: string, rest: readonly string[]): ChatCommand {
  if (verb === 'help' || verb === 'freezes') return { verb };
  if (verb === 'freeze' || verb === 'unfreeze') return understandFreeze(verb, name, rest.join(' '));
  if (verb === 'vetoes') return name === '' || rest.length > 0 ? { verb: 'usage', of: verb } : { verb, service: name };
  if (verb === 'lift') return understandLift(name, rest);
  if (verb === 'adopt' || verb === 'revert') return understandDrift(verb, name, rest);
  const release = parseReleaseName(name);
  if (release === undefined) return { verb: 'usage', of: verb };
  if (verb === 'status') return { verb, release };
  if (verb === 'approve') {
    const digits = /^(?:sha256:)?([0-9a-f]{12,64})$/.exec(rest[0] ?? '')?.[1];
    return digits === undefined || rest.length > 1
      ? { verb: 'usage', of: verb }
      : { verb, release, planDigest: `sha256:${digits}` };
  }
  if (verb === 'retry-step') {
    const [step = '', ...words] = rest;
    return words.length === 0 ? { verb: 'usage', of: verb } : { verb, release, step, reason: words.join(' ') };
  }
  const reason = rest.join(' ');
  return reason === '' ? { verb: 'usage', of: verb } : { verb, release, reason };
}

/** `freeze <scope> <reason>`, `unfreeze <id> <reason>`. */
function understandFreeze(verb: 'freeze' | 'unfreeze', name: string, reason: string): ChatCommand {
  if (name === '' || reason === '') return { verb: 'usage', of: verb };
  return verb === 'freeze' ? { verb, scope: EVERYTHING.has(name) ? 'all' : name, reason } : { verb, id: name, reason };
}

/** How people say that they mean everything. */
const EVERYTHING: ReadonlySet<string> = new Set(['all', '全部']);

/** `lift <environment>/<service> <bundle> <reason>`. */
function understandLift(name: string, [bundle = '', ...words]: readonly string[]): ChatCommand {
  const lane = laneOf(name);
  const reason = words.join(' ');
  return lane !== undefined && /^b-[0-9a-f]{16}$/.test(bundle) && reason !== ''
    ? { verb: 'lift', veto: { ...lane, bundle }, reason }
    : { verb: 'usage', of: 'lift' };
}

/** `adopt <environment>/<service> <reason>`. */
function understandDrift(verb: DriftVerb, name: string, words: readonly string[]): ChatCommand {
  const lane = laneOf(name);
  const reason = words.join(' ');
  return lane !== undefined && reason !== '' ? { verb, lane, reason } : { verb: 'usage', of: verb };
}

function laneOf(name: string): LaneName | undefined {
  const [environment = '', service = '', ...more] = name.split('/');
  return environment !== '' && service !== '' && more.length === 0 ? { environment, service } : undefined;
}

function lookUp(verbs: Readonly<Record<string, ChatVerb>>, word: string): ChatVerb | undefined {
  return Object.hasOwn(verbs, word) ? verbs[word] : undefined;
}
