import type { Part } from '../part.ts';

/** Checks docker-compose.yml; needs no engine for that. Tests only. */
export const dockerCompose = {
  name: 'docker-compose',
  commands: ['docker-compose'],
  minimum: '1.29.0',
  tells: { args: ['version', '--short'], pattern: /^v?(\d\S*)/ },
  source: { kind: 'Debian package', package: 'docker-compose', units: [] },
} as const satisfies Part;
