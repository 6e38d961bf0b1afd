import { counted } from './counted.ts';
import type { Difference, Shares } from './drift.ts';
import type { ScaleBounds } from './lane.ts';

/** A difference as people are shown it. */
export interface NamedDifference {
  readonly kind: Difference['kind'];
  /** One plain sentence, in English and in Chinese. */
  readonly sentence: string;
  readonly sentenceZh: string;
}

/** A hand-made change that is open, as a lane or a release shows it. */
export interface DriftView {
  /** ISO 8601. */
  readonly since: string;
  readonly environment: string;
  readonly differences: readonly NamedDifference[];
  /** What is done about it just now, or why that failed. */
  readonly resolution?: string;
}

/** The differences in words. */
export function named(found: readonly Difference[]): readonly NamedDifference[] {
  return found.map((difference) => ({ kind: difference.kind, ...sayDifference(difference) }));
}

/** All of them in one sentence a language. */
export function sayAll(found: readonly NamedDifference[]): { readonly en: string; readonly zh: string } {
  return {
    en: found.map(({ sentence }) => sentence).join('; '),
    zh: found.map(({ sentenceZh }) => sentenceZh).join('；'),
  };
}

function sayDifference(difference: Difference): Omit<NamedDifference, 'kind'> {
  switch (difference.kind) {
    case 'scaled': {
      const { found, revision, wanted } = difference;
      return {
        sentence: `${revision} was scaled by hand: ${counted(found, 'instance')}, not ${wanted}`,
        sentenceZh: `${revision} 被手工伸缩：${found} 个实例，应为 ${wanted}`,
      };
    }
    case 'deleted': {
      const { revision, wanted } = difference;
      return {
        sentence: `${revision} was deleted by hand, with its ${counted(wanted, 'instance')}`,
        sentenceZh: `${revision} 及其 ${wanted} 个实例被手工删除`,
      };
    }
    case 'edited': {
      const { fields, revision } = difference;
      return {
        sentence: `${revision} was edited by hand: ${fields.join(', ')}`,
        sentenceZh: `${revision} 被手工修改：${fields.join('、')}`,
      };
    }
    case 'unknown-app': {
      const { app, instances } = difference;
      return {
        sentence: `${app} runs with ${counted(instances, 'instance')} and is of no release`,
        sentenceZh: `${app} 有 ${instances} 个实例，不属于任何发布`,
      };
    }
    case 'traffic': {
      const { found, wanted } = difference;
      return {
        sentence: `the traffic was changed by hand: ${sayShares(found)}; it should be ${sayShares(wanted)}`,
        sentenceZh: `流量被手工修改：${sayShares(found, 'zh')}；应为 ${sayShares(wanted, 'zh')}`,
      };
    }
    case 'traffic-deleted': {
      const { wanted } = difference;
      return {
        sentence: `the traffic document was deleted by hand; it should be ${sayShares(wanted)}`,
        sentenceZh: `流量文档被手工删除；应为 ${sayShares(wanted, 'zh')}`,
      };
    }
    case 'server-weights': {
      const { balancer, servers } = difference;
      return {
        sentence: `weights were changed by hand in ${balancer}: ${servers.map(({ name, found, wanted }) => `${name} has ${found}, not ${wanted}`).join(', ')}`,
        sentenceZh: `${balancer} 的权重被手工修改：${servers.map(({ name, found, wanted }) => `${name} 为 ${found}，应为 ${wanted}`).join('、')}`,
      };
    }
    case 'config': {
      const { found, wanted } = difference;
      return {
        sentence: `the configuration was pointed ${found === 0 ? 'nowhere' : `to version ${found}`} by hand; it should be version ${wanted}`,
        sentenceZh: `配置被手工指向${found === 0 ? '空' : ` ${found} 版`}；应为 ${wanted} 版`,
      };
    }
    case 'bounds': {
      const { found, wanted } = difference;
      return {
        sentence: `the scale bounds were changed by hand: ${sayBounds(found)}; they should be ${sayBounds(wanted)}`,
        sentenceZh: `伸缩范围被手工修改：${sayBounds(found, 'zh')}；应为 ${sayBounds(wanted, 'zh')}`,
      };
    }
  }
}

function sayShares(shares: Shares, language: 'en' | 'zh' = 'en'): string {
  const parts = Object.entries(shares).filter(([, share]) => share > 0);
  if (parts.length === 0) return language === 'en' ? 'none' : '无';
  const round = (share: number) => Math.round(share * 10) / 10;
  return language === 'en'
    ? parts.map(([revision, share]) => `${round(share)} % to ${revision}`).join(', ')
    : parts.map(([revision, share]) => `${revision} ${round(share)} %`).join('、');
}

function sayBounds(bounds: ScaleBounds | null, language: 'en' | 'zh' = 'en'): string {
  if (bounds === null) return language === 'en' ? 'none' : '无';
  const { min, max, requestsPerSecondPerInstance: rate, downAfterSeconds: down } = bounds;
  return language === 'en'
    ? `${min} to ${max} instances at ${rate} requests/s each, down after ${down} s`
    : `${min} 至 ${max} 个实例，每个 ${rate} 请求/秒，${down} 秒后缩容`;
}
