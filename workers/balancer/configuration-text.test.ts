import { describe, expect, it } from '@jest/globals';
import type { TrafficDocument } from '../../domain/traffic.ts';
import { composeConfiguration, structureDigest, weightsIn, withWeights } from './configuration-text.ts';

const TEXT = `global
    stats socket 127.0.0.1:1 level admin

frontend prod
    bind 127.0.0.1:8003
    use_backend prod.web if { always_true }

backend prod.web
    balance roundrobin
    server r1.a 127.0.0.1:1001 weight 252 track health.prod.web.r1/r1.a
    server r2.b 127.0.0.1:1002 weight 0 track health.prod.web.r2/r2.b

backend health.prod.web.r1
    server r1.a 127.0.0.1:1001

backend prod.shop
    server r1.a 127.0.0.1:1003 weight 9 track health.prod.shop.r1/r1.a
`;

const document = (weights: Record<string, number>): TrafficDocument => ({ shares: {}, weights, healthPath: '/' });

describe('structureDigest', () => {
  it('does not see weights', () => {
    expect(structureDigest(TEXT.replace('weight 252', 'weight 3').replace('weight 0', 'weight 256'))).toBe(
      structureDigest(TEXT),
    );
  });

  it.each([
    ['another server', TEXT.replace('r2.b 127', 'r2.c 127')],
    ['another address', TEXT.replace('127.0.0.1:1002 weight', '127.0.0.1:1004 weight')],
    ['another server to track', TEXT.replace('track health.prod.web.r2/r2.b', 'track health.prod.web.r2/r2.c')],
    ['another port', TEXT.replace(':8003', ':8004')],
    ['a server less', TEXT.replace(/\n {4}server r2.*/, '')],
    ['a weight where none belongs', TEXT.replace('always_true', 'always_true weight 3')],
  ])('sees %s', (_name, changed) => {
    expect(changed).not.toBe(TEXT);
    expect(structureDigest(changed)).not.toBe(structureDigest(TEXT));
  });
});

describe('withWeights', () => {
  it('gives each backend the weights of its document, 0 to a revision it does not name', () => {
    const text = withWeights(TEXT, new Map([['prod.web', document({ r2: 13 })]]));
    expect(weightsIn(text)).toEqual(
      new Map([
        ['prod.web', { r1: 0, r2: 13 }],
        ['prod.shop', { r1: 9 }],
      ]),
    );
    expect(structureDigest(text)).toBe(structureDigest(TEXT));
  });

  it('changes nothing where nothing differs', () => {
    expect(withWeights(TEXT, new Map([['prod.web', document({ r1: 252 })]]))).toBe(TEXT);
    expect(withWeights(TEXT, new Map())).toBe(TEXT);
  });
});

describe('composeConfiguration', () => {
  it('has the weights of the documents and says which structure it is', () => {
    const { text, description } = composeConfiguration(TEXT, new Map([['prod.web', document({ r1: 3, r2: 4 })]]));
    expect(description).toBe(`slipway-structure-${structureDigest(TEXT)}`);
    expect(text).toBe(
      `${TEXT.replace('weight 252', 'weight 3').replace('weight 0', 'weight 4')}\nglobal\n    description ${description}\n`,
    );
    expect(composeConfiguration(TEXT, new Map()).description).toBe(description);
  });
});
