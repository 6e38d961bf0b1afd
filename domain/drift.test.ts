import { describe, expect, it } from '@jest/globals';
import type { Bundle } from './bundle.ts';
import { type Difference, differences, expectedOf, type Observed, persisting } from './drift.ts';
import { adopted, corrections, fieldsToRead } from './drift-resolution.ts';
import { named } from './drift-sentences.ts';
import { earlierThan, type LaneState, type RevisionRecord } from './lane.ts';
import { revisionApp } from './revision-app.ts';

const bundle = (id: string): Bundle => ({
  id,
  service: 'web',
  version: id,
  commit: 'c',
  image: { repository: 'web', digest: `sha256:${id}` },
  testImages: {},
  configVersion: 2,
  manifestDigest: 'sha256:d',
});
const record = (revision: string, id: string, instances = 2): RevisionRecord => ({
  revision,
  bundle: bundle(id),
  spec: {
    environment: 'prod',
    service: 'web',
    revision,
    bundle: id,
    image: `registry:5000/web@sha256:${id}`,
    env: { COLOUR: 'blue' },
    cpus: 0.1,
    memoryMiB: 64,
    healthPath: '/healthz',
    startSeconds: 30,
    instances: 0,
  },
  instances,
});
const BOUNDS = { min: 2, max: 6, requestsPerSecondPerInstance: 20, downAfterSeconds: 30 };
const STATE: LaneState = {
  environment: 'prod',
  service: 'web',
  lastRevision: 7,
  current: record('r7', 'b-7'),
  bounds: BOUNDS,
  weights: { r7: 100 },
  configVersion: 2,
  earlier: [record('r6', 'b-6')],
};
const server = (name: string, weight: number) => ({ balancer: 'lb1', name, revision: 'r7', weight });
const AS_MADE: Observed = {
  apps: [{ appId: '/prod/web/r7', instances: 2, edited: [] }],
  traffic: { shares: { r7: 100 }, weights: { r7: 256 } },
  servers: [server('r7.a', 256), server('r7.b', 256)],
  configVersion: 2,
  bounds: BOUNDS,
};

const look = (observed: Observed, state: LaneState = STATE): readonly Difference[] => {
  const expected = expectedOf(state);
  if (!expected) throw new Error('the lane knows nothing');
  return differences(expected, { ...AS_MADE, ...observed });
};

/** Named situations: what a person did, what it is called, what puts it right, and what the lane knows when it is adopted. */
const SITUATIONS: readonly {
  readonly name: string;
  readonly observed: Observed;
  readonly sentence: string;
  readonly sentenceZh: string;
  readonly corrections: readonly string[];
  readonly adopted: (state: LaneState) => unknown;
  readonly as: unknown;
}[] = [
  {
    name: 'an app scaled by hand',
    observed: { apps: [{ appId: '/prod/web/r7', instances: 5, edited: [] }] },
    sentence: 'r7 was scaled by hand: 5 instances, not 2',
    sentenceZh: 'r7 被手工伸缩：5 个实例，应为 2',
    corrections: ['scale'],
    adopted: ({ current }) => current?.instances,
    as: 5,
  },
  {
    name: 'an app deleted',
    observed: { apps: [] },
    sentence: 'r7 was deleted by hand, with its 2 instances',
    sentenceZh: 'r7 及其 2 个实例被手工删除',
    corrections: ['create', 'traffic'],
    adopted: ({ current, earlier }) => [current, earlier?.map(({ revision }) => revision)],
    as: [undefined, ['r7', 'r6']],
  },
  {
    name: 'an app that nobody knows',
    observed: {
      apps: [...(AS_MADE.apps ?? []), { appId: '/prod/web/trial', instances: 1, edited: [] }],
    },
    sentence: '/prod/web/trial runs with 1 instance and is of no release',
    sentenceZh: '/prod/web/trial 有 1 个实例，不属于任何发布',
    corrections: ['remove'],
    adopted: ({ tolerated }) => tolerated,
    as: ['app /prod/web/trial'],
  },
  {
    name: 'image and environment changed by hand',
    observed: {
      apps: [{ appId: '/prod/web/r7', instances: 2, edited: ['container.docker.image', 'env.COLOUR'] }],
    },
    sentence: 'r7 was edited by hand: container.docker.image, env.COLOUR',
    sentenceZh: 'r7 被手工修改：container.docker.image、env.COLOUR',
    corrections: ['replace'],
    adopted: ({ current }) => current?.spec.edited,
    as: { env: { COLOUR: 'red' } },
  },
  {
    name: 'the weights of one balancer changed by hand',
    observed: { servers: [server('r7.a', 10), server('r7.b', 256)] },
    sentence: 'weights were changed by hand in lb1: r7.a has 10, not 256',
    sentenceZh: 'lb1 的权重被手工修改：r7.a 为 10，应为 256',
    corrections: ['traffic'],
    adopted: ({ tolerated }) => tolerated,
    as: ['weight lb1 r7.a 10'],
  },
  {
    name: 'the shares changed by hand',
    observed: { traffic: { shares: { r7: 90, r6: 10 }, weights: { r7: 256, r6: 28 } }, servers: [] },
    sentence: 'the traffic was changed by hand: 90 % to r7, 10 % to r6; it should be 100 % to r7',
    sentenceZh: '流量被手工修改：r7 90 %、r6 10 %；应为 r7 100 %',
    corrections: ['traffic'],
    adopted: ({ weights }) => weights,
    as: { r7: 90, r6: 10 },
  },
  {
    name: 'weights in the document changed by hand, the shares not',
    observed: { traffic: { shares: { r7: 100 }, weights: { r7: 100, r6: 100 } }, servers: [] },
    sentence: 'the traffic was changed by hand: 66.7 % to r7, 33.3 % to r6; it should be 100 % to r7',
    sentenceZh: '流量被手工修改：r7 66.7 %、r6 33.3 %；应为 r7 100 %',
    corrections: ['traffic'],
    adopted: ({ weights }) => Object.keys(weights ?? {}),
    as: ['r7', 'r6'],
  },
  {
    name: 'the traffic document deleted',
    observed: { traffic: null },
    sentence: 'the traffic document was deleted by hand; it should be 100 % to r7',
    sentenceZh: '流量文档被手工删除；应为 r7 100 %',
    corrections: ['traffic'],
    adopted: ({ weights }) => weights,
    as: {},
  },
  {
    name: 'the config pointer moved',
    observed: { configVersion: 3 },
    sentence: 'the configuration was pointed to version 3 by hand; it should be version 2',
    sentenceZh: '配置被手工指向 3 版；应为 2 版',
    corrections: ['config'],
    adopted: ({ configVersion }) => configVersion,
    as: 3,
  },
  {
    name: 'the config pointer removed',
    observed: { configVersion: 0 },
    sentence: 'the configuration was pointed nowhere by hand; it should be version 2',
    sentenceZh: '配置被手工指向空；应为 2 版',
    corrections: ['config'],
    adopted: ({ configVersion }) => configVersion,
    as: 0,
  },
  {
    name: 'the scale bounds changed',
    observed: { bounds: { ...BOUNDS, max: 9 } },
    sentence:
      'the scale bounds were changed by hand: 2 to 9 instances at 20 requests/s each, down after 30 s; ' +
      'they should be 2 to 6 instances at 20 requests/s each, down after 30 s',
    sentenceZh:
      '伸缩范围被手工修改：2 至 9 个实例，每个 20 请求/秒，30 秒后缩容；应为 2 至 6 个实例，每个 20 请求/秒，30 秒后缩容',
    corrections: ['bounds'],
    adopted: ({ bounds }) => bounds?.max,
    as: 9,
  },
  {
    name: 'the scale bounds removed',
    observed: { bounds: null },
    sentence:
      'the scale bounds were changed by hand: none; they should be 2 to 6 instances at 20 requests/s each, down after 30 s',
    sentenceZh: '伸缩范围被手工修改：无；应为 2 至 6 个实例，每个 20 请求/秒，30 秒后缩容',
    corrections: ['bounds'],
    adopted: ({ bounds }) => bounds,
    as: undefined,
  },
];

describe('a hand-made change', () => {
  it.each(SITUATIONS)('$name is named in one sentence a language', ({ observed, sentence, sentenceZh }) => {
    expect(named(look(observed))).toMatchObject([{ sentence, sentenceZh }]);
  });

  it.each(SITUATIONS)('$name is put back', ({ observed, corrections: wanted }) => {
    const expected = expectedOf(STATE);
    if (!expected) throw new Error('the lane knows nothing');
    expect(corrections(expected, look(observed)).map(({ kind }) => kind)).toEqual(wanted);
  });

  it.each(SITUATIONS)('$name is none any more once it is adopted', ({ observed, adopted: field, as }) => {
    const found = look(observed);
    const state = adopted(STATE, found, { r7: { env: { COLOUR: 'red' } } });
    expect(field(state)).toEqual(as);
    // What was edited is compared with the app that is made of the new state.
    const apps = observed.apps?.map((app) => ({ ...app, edited: [] }));
    expect(look({ ...observed, ...(apps && { apps }) }, state)).toEqual([]);
  });
});

describe('no difference', () => {
  it.each<readonly [string, Observed, LaneState?]>([
    ['all as Slipway made it', {}],
    ['systems that give no answer', { apps: undefined, traffic: undefined, servers: undefined } as never],
    ['a config centre that is not used', { configVersion: 4 }, { ...STATE, configVersion: 0 }],
    ['what a state of before knows of weights and configuration', {}, strip(STATE)],
    ['weights that no rounding brings nearer', { traffic: { shares: { r7: 100 }, weights: { r7: 1 } }, servers: [] }],
    [
      'nothing where nothing serves',
      { apps: [], traffic: { shares: {}, weights: {} }, servers: [], bounds: null },
      { environment: 'prod', service: 'web', lastRevision: 3 },
    ],
  ])('%s', (_, observed, state = STATE) => {
    expect(look(observed, state)).toEqual([]);
  });

  it('is a number of instances that is just being changed', () => {
    const observed = { ...AS_MADE, apps: [{ appId: '/prod/web/r7', instances: 3, edited: [] }] };
    const expected = expectedOf(STATE, true);
    expect(expected && differences(expected, observed)).toEqual([]);
  });

  it('is looked for in a lane that has never known anything', () => {
    expect(expectedOf({ environment: 'prod', service: 'web', lastRevision: 0 })).toBeUndefined();
  });

  it('is taken for put right while its system gives no answer', () => {
    const known = look({ configVersion: 3, apps: [{ appId: '/prod/web/r7', instances: 3, edited: [] }] });
    const expected = expectedOf(STATE);
    if (!expected) throw new Error('the lane knows nothing');
    const { apps: _, ...others } = AS_MADE;
    expect(differences(expected, others, known).map(({ kind }) => kind)).toEqual(['scaled']);
    expect(differences(expected, AS_MADE, known)).toEqual([]);
  });

  it('is called one that a second look does not see', () => {
    const first = look({ configVersion: 3, apps: [{ appId: '/prod/web/r7', instances: 3, edited: [] }] });
    const second = look({ bounds: null, apps: [{ appId: '/prod/web/r7', instances: 4, edited: [] }] });
    expect(persisting(first, second)).toEqual([{ kind: 'scaled', revision: 'r7', wanted: 2, found: 4 }]);
  });
});

describe('several at once', () => {
  const everything: Observed = {
    apps: [
      { appId: '/prod/web/r7', instances: 5, edited: ['env.COLOUR', 'env.SIZE', 'healthChecks[0].path', 'cmd'] },
      { appId: '/prod/web/trial', instances: 1, edited: [] },
    ],
    traffic: { shares: { r7: 90, r6: 10 }, weights: { r7: 256, r6: 28 } },
    servers: [server('r7.a', 10)],
    configVersion: 3,
    bounds: null,
  };

  it('are all named', () => {
    expect(look(everything).map(({ kind }) => kind)).toEqual([
      'edited',
      'scaled',
      'unknown-app',
      'traffic',
      'server-weights',
      'config',
      'bounds',
    ]);
  });

  it('are put back capacity first, with one change of traffic, and what goes last', () => {
    const expected = expectedOf(STATE);
    if (!expected) throw new Error('the lane knows nothing');
    expect(corrections(expected, look(everything)).map(({ kind }) => kind)).toEqual([
      'scale',
      'replace',
      'config',
      'bounds',
      'remove',
    ]);
    const { apps: _, ...others } = everything;
    expect(corrections(expected, look({ ...others, apps: [] })).map(({ kind }) => kind)).toEqual([
      'create',
      'traffic',
      'config',
      'bounds',
    ]);
  });

  it('says which fields an adoption must read', () => {
    expect(fieldsToRead(look(everything))).toEqual([{ revision: 'r7', fields: ['env', 'healthChecks', 'cmd'] }]);
  });

  it('still calls one what was adopted with another weight, or another app', () => {
    const state = adopted(STATE, look({ servers: [server('r7.a', 10)] }), {});
    expect(look({ servers: [server('r7.a', 20)] }, state)).toMatchObject([{ servers: [{ found: 20 }] }]);
  });
});

describe('an adopted edit', () => {
  it('is how the revision is started from then on, under its own names', () => {
    const { current } = adopted(
      STATE,
      look({ apps: [{ appId: '/prod/web/r7', instances: 2, edited: ['env.COLOUR'] }] }),
      {
        r7: { env: { COLOUR: 'red', SLIPWAY_REVISION: 'r7' }, mem: 128 },
      },
    );
    if (!current) throw new Error('nothing serves');
    const again = revisionApp({ ...current.spec, revision: 'r9' });
    expect(again).toMatchObject({ id: '/prod/web/r9', mem: 128, env: { COLOUR: 'red', SLIPWAY_REVISION: 'r9' } });
    expect(again.labels).toEqual(revisionApp({ ...record('r9', 'b-7').spec }).labels);
  });
});

describe('earlierThan', () => {
  it('keeps each bundle once, the newest first, ten at most, and not the one that serves', () => {
    const many = Array.from({ length: 14 }, (_, index) => record(`r${20 - index}`, `b-${20 - index}`));
    const earlier = earlierThan(bundle('b-15'), {
      current: record('r21', 'b-21'),
      earlier: [record('r19', 'b-21'), ...many],
    });
    expect(earlier.map(({ revision }) => revision)).toEqual([
      'r21',
      'r20',
      'r19',
      'r18',
      'r17',
      'r16',
      'r14',
      'r13',
      'r12',
      'r11',
    ]);
  });
});

function strip({ weights: _, configVersion: __, ...before }: LaneState): LaneState {
  return before;
}
