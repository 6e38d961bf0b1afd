/** Jest in ESM mode with SWC; one project a suite, so that each runs alone. */
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  setupFiles: ['<rootDir>/test/ports-of-worker.ts', '<rootDir>/test/patient-balancer.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
};

const suite = (name, options = {}) => ({
  ...base,
  displayName: name,
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  ...options,
});

export default {
  // Far above what any test takes alone: a test that waits says itself for what and how long.
  testTimeout: 60_000,
  projects: [
    {
      ...base,
      displayName: 'unit',
      testMatch: ['<rootDir>/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/',
        '<rootDir>/.slipway/',
        '<rootDir>/local/sample/service/',
      ],
    },
    suite('workflows'),
    suite('integration'),
    suite('conformance', { setupFilesAfterEnv: ['<rootDir>/test/conformance/contract/every-answer.ts'] }),
    suite('faults'),
    suite('simulation'),
    suite('e2e'),
  ],
};
