import type { Change } from '../../local/sample/versions.ts';

/**
 * The sample service with its whole way, and little time between its steps. In three times its hold the judge sees far more
 * than the 21 answers that show 20 % errors to be unlikely, also where a busy machine tells it of them late.
 */
export const SAMPLE = 'sample';
export const SAMPLE_CHANGES: readonly Change[] = [
  { find: 'hold: 10s', put: 'hold: 5s' },
  { find: 'maxErrors: 10%, minRequests: 40', put: 'maxErrors: 20%, minRequests: 5' },
  { find: 'bake: 5s', put: 'bake: 1s' },
  // What clients catch up on after a stall is no reason for more instances.
  { find: 'requestsPerSecondPerInstance: 22', put: 'requestsPerSecondPerInstance: 200' },
];

/** The same service under another name: in production alone, with two instances, and without approvals. */
export const SHOP = 'shop';
/** Longer than any test: such a step ends by a command. */
const UNTIL_A_COMMAND = '10m';
const SHOP_WAY: readonly Change[] = [
  { find: 'service: sample', put: `service: ${SHOP}` },
  { find: '  fat:\n    instances: 1\n  uat:\n    instances: 1\n', put: '' },
  { find: '  prod:\n    instances: 3', put: '  prod:\n    instances: 2' },
  {
    find: 'tests:\n  contract:\n    dockerfile: test/contract/Dockerfile\n    environments: [fat, uat]\n    timeout: 1m\n',
    put: '',
  },
  { find: 'approvals: { count: 1, expires: 10m }', put: 'approvals: { count: 0 }' },
  { find: 'scale: { min: 3, max: 6, requestsPerSecondPerInstance: 22, downAfter: 10s }\n', put: '' },
];
/** Its canary is watched until somebody commands something. */
export const SHOP_LONG_CANARY: readonly Change[] = [
  ...SHOP_WAY,
  { find: 'hold: 10s', put: `hold: ${UNTIL_A_COMMAND}` },
  { find: 'bake: 5s', put: 'bake: 1s' },
];
/**
 * Its canary passes soon, and the revision before then stays warm until somebody commands something. With three times its
 * hold the judge sees more than the 21 answers that show 20 % errors to be unlikely, also on a busy machine.
 */
export const SHOP_LONG_BAKE: readonly Change[] = [
  ...SHOP_WAY,
  { find: 'hold: 10s', put: 'hold: 5s' },
  { find: 'maxErrors: 10%, minRequests: 40', put: 'maxErrors: 20%, minRequests: 5' },
  { find: 'bake: 5s', put: `bake: ${UNTIL_A_COMMAND}` },
];
/**
 * It may be tried again where it failed, and comes to production only within an hour that begins in more than one hour,
 * which is longer than any test.
 */
export function shopGuarded(now: Date): readonly Change[] {
  const text = (hour: number) => `${String((now.getUTCHours() + hour) % 24).padStart(2, '0')}:00`;
  const window = `{ environments: [prod], from: '${text(2)}', to: '${text(3)}', zone: UTC }`;
  return [
    ...SHOP_LONG_CANARY,
    { find: 'version: 1.0.0', put: 'version: 3.0.0' },
    { find: 'approvals: { count: 0 }', put: `approvals: { count: 0 }\n  retryWithin: 10m\n  windows: [${window}]` },
  ];
}
