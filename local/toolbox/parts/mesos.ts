import { buildMesos, LIBRARY } from '../mesos/build.ts';
import type { Part } from '../part.ts';

/**
 * A real Mesos master and agent, to hold the embedded ones against. Tests only. A Mesos on PATH is not looked for: it
 * would be another version.
 */
export const mesos = {
  name: 'mesos',
  commands: [],
  minimum: '1.11.0',
  source: {
    kind: 'PyPI library',
    package: 'mesos.scheduler',
    release: '1.11.0.linux-x86_64',
    // The number after the dash counts what is built on the release: raise it with a change of mesosd.cpp.
    version: '1.11.0-1',
    library: LIBRARY,
    sha256: '84d7ee9af27e912636b139de40257df1ee4f56c201de6bba834278aa1e8fd64c',
    debianPackages: ['g++', 'libapr1', 'libsasl2-2', 'libsvn1'],
    build: buildMesos,
    executable: 'mesosd',
  },
} as const satisfies Part;
