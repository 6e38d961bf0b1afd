import { describe, expect, it } from '@jest/globals';
import { line } from '../../activities/influx/line-protocol.ts';
import { type CounterReading, samplePoint, TrafficSampler } from './traffic-samples.ts';

const server = (name: string, answers: number, more: object = {}) => ({
  backend: 'prod.web',
  name,
  up: true,
  sessions: 0,
  answers,
  errors5xx: 0,
  errorsConnection: 0,
  ...more,
});

const reading = (
  at: number,
  servers: CounterReading['servers'],
  more: Partial<CounterReading> = {},
): CounterReading => ({
  balancer: 'b1',
  process: { pid: 1 },
  servers,
  at,
  ...more,
});

const SAMPLE = {
  environment: 'prod',
  service: 'web',
  errors5xx: 0,
  errorsConnection: 0,
  up: 1,
  sessions: 0,
  seconds: 1,
};

describe('TrafficSampler', () => {
  it.each<[string, CounterReading, CounterReading, number]>([
    ['what came since', reading(0, [server('r1.a', 5)]), reading(1000, [server('r1.a', 12)]), 7],
    ['nothing when nothing came', reading(0, [server('r1.a', 5)]), reading(1000, [server('r1.a', 5)]), 0],
    [
      'all of a new process',
      reading(0, [server('r1.a', 5)]),
      reading(1000, [server('r1.a', 9)], { process: { pid: 2 } }),
      9,
    ],
    ['all of a counter that went back', reading(0, [server('r1.a', 5)]), reading(1000, [server('r1.a', 3)]), 3],
    ['all of a server that was not there', reading(0, []), reading(1000, [server('r1.a', 4)]), 4],
  ])('counts %s', (_name, before, after, requests) => {
    const sampler = new TrafficSampler();
    expect(sampler.take([before])).toEqual([]);
    expect(sampler.take([after])).toEqual([{ ...SAMPLE, revision: 'r1', requests }]);
  });

  it('adds up servers and balancers, and weighs latency by requests', () => {
    const sampler = new TrafficSampler();
    sampler.take([reading(0, [server('r1.a', 0), server('r1.b', 0)]), reading(0, [], { balancer: 'b2' })]);
    const samples = sampler.take([
      reading(1000, [
        server('r1.a', 10, { latencyMs: 4, errors5xx: 1, sessions: 2 }),
        server('r1.b', 30, { latencyMs: 8, errorsConnection: 2, up: false }),
        server('r2.c', 0, { latencyMs: 99 }),
      ]),
      reading(2000, [server('r1.a', 60, { latencyMs: 10, sessions: 1 })], { balancer: 'b2' }),
    ]);
    expect(samples).toEqual([
      {
        environment: 'prod',
        service: 'web',
        revision: 'r1',
        requests: 100,
        errors5xx: 1,
        errorsConnection: 2,
        latencyMs: (10 * 4 + 30 * 8 + 60 * 10) / 100,
        up: 2,
        sessions: 3,
        seconds: 2,
      },
      { ...SAMPLE, revision: 'r2', requests: 0 },
    ]);
  });

  it('catches up after a balancer was silent', () => {
    const sampler = new TrafficSampler();
    sampler.take([reading(0, [server('r1.a', 1)])]);
    expect(sampler.take([])).toEqual([]);
    expect(sampler.take([reading(2000, [server('r1.a', 7)])])).toEqual([
      { ...SAMPLE, revision: 'r1', requests: 6, seconds: 2 },
    ]);
  });

  it('leaves out backends that are not services', () => {
    const sampler = new TrafficSampler();
    const others = ['health.prod.web.r1', 'unknown-host'].map((backend) => server('r1.a', 3, { backend }));
    sampler.take([reading(0, others)]);
    expect(sampler.take([reading(1000, others)])).toEqual([]);
  });
});

describe('samplePoint', () => {
  it('has whole numbers for counts, and latency only where there is one', () => {
    expect(line(samplePoint({ ...SAMPLE, revision: 'r1', requests: 3 }, 50))).toBe(
      'balancer,environment=prod,revision=r1,service=web requests=3i,errors_5xx=0i,errors_conn=0i,up=1i,sessions=0i,seconds=1 50',
    );
    expect(line(samplePoint({ ...SAMPLE, revision: 'r1', requests: 3, latencyMs: 4.5 }, 50))).toContain(
      ',seconds=1,latency_ms=4.5 50',
    );
  });
});
