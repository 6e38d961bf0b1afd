import type { Part } from '../part.ts';

/** The registry of CNCF Distribution; `registry` is its name outside Debian. */
export const dockerRegistry = {
  name: 'docker-registry',
  commands: ['docker-registry', 'registry'],
  minimum: '2.8.0',
  below: '3',
  tells: { args: ['--version'], pattern: /distribution v?(\d\S*)/ },
  source: { kind: 'Debian package', package: 'docker-registry', units: ['docker-registry.service'] },
} as const satisfies Part;
