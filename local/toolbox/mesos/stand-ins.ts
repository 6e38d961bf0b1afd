/** What stands in for libraries that another one was linked with and this release of Debian lacks. */
export interface StandIns {
  /** A C source: each entry says its name on stderr and returns 0, which its callers take for a failure. */
  readonly source: string;
  /** The linker's version script, since callers ask for their symbols by version. */
  readonly versionScript: string;
}

const VERSIONED = /^(?:OPENSSL_1\.0|CURL_OPENSSL_3)/;

const HEADER = `#include <stdio.h>
#define S(n) long n(void) { fprintf(stderr, "stand-in: %s\\n", #n); return 0; }
`;

/**
 * Stand-ins for OpenSSL 1.0, for libcurl with the version CURL_OPENSSL_3 and for Python 2.7.
 * @param symbols what `objdump -T` says of the library that needs them
 */
export function standInsFor(symbols: string): StandIns {
  const names: string[] = [];
  const versions = new Map<string, string[]>();
  for (const line of symbols.split('\n')) {
    const words = line.trim().split(/\s+/);
    const name = words.at(-1);
    if (name === undefined || !words.includes('*UND*')) {
      continue;
    }
    const version = words.at(-2)?.replaceAll(/[()]/g, '') ?? '';
    if (VERSIONED.test(version)) {
      versions.set(version, [...(versions.get(version) ?? []), name]);
      names.push(name);
    } else if (/^_?Py/.test(name)) {
      names.push(name);
    }
  }
  return {
    source: HEADER + names.map((name) => `S(${name})\n`).join(''),
    versionScript: [...versions].map(([version, of]) => `${version} { ${of.join('; ')}; };\n`).join(''),
  };
}
