import type { Part } from '../part.ts';

/** HAProxy, the balancer. */
export const haproxy = {
  name: 'haproxy',
  commands: ['haproxy'],
  minimum: '2.6.0',
  tells: { args: ['-v'], pattern: /HAProxy version (\S+)/ },
  source: { kind: 'Debian package', package: 'haproxy', units: ['haproxy.service'] },
} as const satisfies Part;
