import { describe, expect, it } from '@jest/globals';
import { standInsFor } from './stand-ins.ts';

const SYMBOLS = `
_scheduler.so:     file format elf64-x86-64

DYNAMIC SYMBOL TABLE:
0000000000000000      DF *UND*	0000000000000000 (OPENSSL_1.0.0) SSL_new
0000000000000000      DF *UND*	0000000000000000 (OPENSSL_1.0.1) SSL_free
0000000000000000      DF *UND*	0000000000000000 (CURL_OPENSSL_3) curl_easy_init
0000000000000000      DF *UND*	0000000000000000 (OPENSSL_1.0.0) SSL_read
0000000000000000      DO *UND*	0000000000000000              _Py_NoneStruct
0000000000000000      DF *UND*	0000000000000000 (GLIBC_2.2.5) malloc
0000000000a1b2c3 g    DF .text	0000000000000010  Base        PyInit_scheduler
`;

describe('standInsFor', () => {
  const { source, versionScript } = standInsFor(SYMBOLS);

  it('makes an entry for each symbol that the machine lacks, and for no other', () => {
    expect(source.match(/^S\(.*\)$/gm)).toEqual([
      'S(SSL_new)',
      'S(SSL_free)',
      'S(curl_easy_init)',
      'S(SSL_read)',
      'S(_Py_NoneStruct)',
    ]);
  });

  it('gives each the version it is asked for by', () => {
    expect(versionScript.trim().split('\n')).toEqual([
      'OPENSSL_1.0.0 { SSL_new; SSL_read; };',
      'OPENSSL_1.0.1 { SSL_free; };',
      'CURL_OPENSSL_3 { curl_easy_init; };',
    ]);
  });
});
