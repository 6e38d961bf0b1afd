import type { Part } from '../part.ts';

/** consul-template, which renders the balancer's structure from Consul. */
export const consulTemplate = {
  name: 'consul-template',
  commands: ['consul-template'],
  minimum: '0.42.0',
  tells: { args: ['-version'], pattern: /consul-template v(\S+)/ },
  source: {
    kind: 'Go module',
    module: 'github.com/hashicorp/consul-template',
    version: '0.42.1',
    executable: 'consul-template',
  },
} as const satisfies Part;
