import { expect, it } from '@jest/globals';
import { discoveryOptions } from './discovery.ts';

const environment = (marathon: string, port: number) => ({
  tier: 'integration' as const,
  marathon: { url: marathon },
  agentAttribute: 'env:x',
  balancer: { name: 'main', address: '127.0.0.1', port },
});

it('shares one Marathon, and one reading of a balancer, among the environments that name it', () => {
  const log = { info: () => {}, warn: () => {} };
  const { registrar, collector } = discoveryOptions(
    {
      consul: { url: 'http://127.0.0.1:8500', dns: '127.0.0.1:8600', token: 'secret' },
      influx: { url: 'http://127.0.0.1:8086', database: 'slipway' },
      balancers: { main: { runtime: ['127.0.0.1:9999'] }, spare: { runtime: ['127.0.0.1:9999', '127.0.0.1:9998'] } },
      environments: {
        fat: environment('http://127.0.0.1:8080', 8001),
        prod: environment('http://127.0.0.1:8081', 8003),
        uat: environment('http://127.0.0.1:8080', 8002),
      },
    },
    log,
  );
  expect(registrar.consul).toEqual({ url: 'http://127.0.0.1:8500', token: 'secret' });
  expect(registrar.marathons.map(({ marathon: { url }, environments }) => [url, environments])).toEqual([
    ['http://127.0.0.1:8080', ['fat', 'uat']],
    ['http://127.0.0.1:8081', ['prod']],
  ]);
  expect(registrar.frontends).toEqual({ fat: '127.0.0.1:8001', prod: '127.0.0.1:8003', uat: '127.0.0.1:8002' });
  expect(collector.balancers).toEqual(['127.0.0.1:9999', '127.0.0.1:9998']);
  expect(collector.influx).toEqual({ url: 'http://127.0.0.1:8086', database: 'slipway' });
});
