import { describe, expect, it } from '@jest/globals';
import { messageType } from './messages.ts';
import { withDefaults } from './with-defaults.ts';

describe('a message with its defaults', () => {
  it.each<[Parameters<typeof messageType>[0], object, object]>([
    ['FrameworkInfo', { user: 'u' }, { user: 'u', failover_timeout: 0, checkpoint: false }],
    [
      'FrameworkInfo',
      { checkpoint: true, role: undefined },
      { checkpoint: true, failover_timeout: 0, role: undefined },
    ],
    ['Environment', { variables: [{ name: 'A' }] }, { variables: [{ name: 'A', type: 'VALUE' }] }],
    [
      'TaskInfo',
      { health_check: { type: 'TCP', tcp: { port: 1 }, delay_seconds: 0 } },
      {
        health_check: {
          type: 'TCP',
          tcp: { port: 1, protocol: 'IPv4' },
          delay_seconds: 0,
          interval_seconds: 10,
          timeout_seconds: 20,
          consecutive_failures: 3,
          grace_period_seconds: 10,
        },
      },
    ],
    ['TaskInfo', { limits: { cpus: { value: 1 } } }, { limits: { cpus: { value: 1 } } }],
    ['Value.Set', { item: ['a'] }, { item: ['a'] }],
  ])('%s %j', (name, message, complete) => {
    expect(withDefaults(messageType(name), message)).toStrictEqual(complete);
  });
});
