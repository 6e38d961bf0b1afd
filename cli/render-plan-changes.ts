import type { ConfigDiff } from '../domain/config-diff.ts';
import type { EnvironmentChange, Plan } from '../domain/plan.ts';
import type { Language } from './messages.ts';

/**
 * A line for what starts and stops in each environment, and one for each configuration that changes. That nothing restarts
 * is always so, and said since with Marathon alone it is not.
 */
export function renderPlanChanges({ changes, configDiff }: Plan, language: Language): string[] {
  const zh = language === 'zh';
  return [
    ...changes.map(zh ? changeZh : changeEn),
    ...Object.entries(configDiff).flatMap(([environment, diff]) =>
      diff ? [zh ? configZh(environment, diff) : configEn(environment, diff)] : [],
    ),
  ];
}

function changeEn({ baseline, environment, fewest, most, starts, stops, weights }: EnvironmentChange): string {
  const start = starts === 1 ? '1 instance starts' : `${starts} instances start`;
  const stop = stops
    ? `${stops.instances} of ${stops.revision} ${stops.instances === 1 ? 'stops' : 'stop'}`
    : 'nothing stops';
  const among = baseline > 0 ? `, a baseline of ${baseline} among them` : '';
  return `in ${environment} ${start}, ${stop}, none restarts; ${fewest} to ${most} run meanwhile${among}; weights ${weights.join(', ')} %`;
}

function changeZh({ baseline, environment, fewest, most, starts, stops, weights }: EnvironmentChange): string {
  const stop = stops ? `停止 ${stops.revision} 的 ${stops.instances} 个` : '不停止任何实例';
  const among = baseline > 0 ? `，其中对照 ${baseline} 个` : '';
  return `${environment} 启动 ${starts} 个实例，${stop}，无实例重启；期间运行 ${fewest} 到 ${most} 个${among}；流量 ${weights.join('、')} %`;
}

function configEn(environment: string, { added, changed, from, removed, to }: ConfigDiff): string {
  const said = [
    ...(added.length > 0 ? [`adds ${added.join(', ')}`] : []),
    ...(removed.length > 0 ? [`removes ${removed.join(', ')}`] : []),
    ...(changed.length > 0 ? [`changes ${changed.join(', ')}`] : []),
  ];
  const what = said.length > 0 ? said.join('; ') : 'changes no key';
  const versions = `from ${from > 0 ? `version ${from}` : 'none'} to ${to > 0 ? to : 'none'}`;
  return `configuration of ${environment} ${versions}: ${what}`;
}

function configZh(environment: string, { added, changed, from, removed, to }: ConfigDiff): string {
  const said = [
    ...(added.length > 0 ? [`新增 ${added.join('、')}`] : []),
    ...(removed.length > 0 ? [`删除 ${removed.join('、')}`] : []),
    ...(changed.length > 0 ? [`修改 ${changed.join('、')}`] : []),
  ];
  const what = said.length > 0 ? said.join('；') : '没有键改变';
  const versions = `${from > 0 ? `从版本 ${from} 到` : '从无到版本'} ${to}`;
  return `${environment} 的配置${to > 0 ? versions : `从版本 ${from} 到无`}：${what}`;
}
