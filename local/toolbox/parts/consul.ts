import type { Part } from '../part.ts';

/** Consul. Debian 12 has none; the archive is the one of Debian 11. */
export const consul = {
  name: 'consul',
  commands: ['consul'],
  minimum: '1.8.7',
  below: '2',
  tells: { args: ['version'], pattern: /Consul v(\S+)/ },
  source: {
    kind: 'Debian archive',
    version: '1.8.7',
    path: 'pool/main/c/consul/consul_1.8.7+dfsg1-2+b3_amd64.deb',
    sha256: 'e4e888bba104daba1d9161f49bfc52649a7e4efd45b1a7ead5bc54f2cb9c89d9',
    executable: 'usr/bin/consul',
  },
} as const satisfies Part;
