import type { Part } from '../part.ts';

/** A PostgreSQL server, to hold the embedded one against. Tests only. Debian keeps its programs off PATH. */
export const postgresql = {
  name: 'postgresql',
  commands: ['postgres'],
  directories: ['/usr/lib/postgresql/17/bin', '/usr/lib/postgresql/16/bin', '/usr/lib/postgresql/15/bin'],
  minimum: '14.0',
  tells: { args: ['--version'], pattern: /PostgreSQL\) (\S+)/ },
  source: {
    kind: 'Debian package',
    package: 'postgresql-15',
    units: ['postgresql.service', 'postgresql@15-main.service'],
  },
} as const satisfies Part;
