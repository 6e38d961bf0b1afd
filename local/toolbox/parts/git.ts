import type { Part } from '../part.ts';

/** git, which builders check services out with. */
export const git = {
  name: 'git',
  commands: ['git'],
  minimum: '2.30.0',
  tells: { args: ['--version'], pattern: /git version (\S+)/ },
  source: { kind: 'Debian package', package: 'git', units: [] },
} as const satisfies Part;
