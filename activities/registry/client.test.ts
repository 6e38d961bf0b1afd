import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { parseChallenge } from './authorization.ts';
import { RegistryClient, registryUrl, sha256 } from './client.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
const seen: string[] = [];

/** A server that answers as a registry might; what it was asked is in `seen`. */
async function serve(handler: Handler): Promise<string> {
  const server = createServer((request, response) => {
    const authorization = request.headers.authorization;
    seen.push(`${request.method} ${request.url}${authorization === undefined ? '' : ` ${authorization}`}`);
    handler(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  seen.length = 0;
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => ({ type: 'none', message: '', nonRetryable: false }),
    (error: { type: string; message: string; nonRetryable: boolean }) => error,
  );

it.each([
  ['127.0.0.1:5000', false, 'http://127.0.0.1:5000/v2/'],
  ['localhost:5000', false, 'http://localhost:5000/v2/'],
  ['[::1]:5000', false, 'http://[::1]:5000/v2/'],
  ['registry.example:5000', false, 'https://registry.example:5000/v2/'],
  ['registry.example:5000', true, 'http://registry.example:5000/v2/'],
])('speaks to %s (insecure: %s) at %s', (address, insecure, url) => {
  expect(registryUrl(address, insecure)).toBe(url);
});

describe('RegistryClient', () => {
  it('lists tags over pages, whether the next page is named relative or absolute, each tag once and sorted', async () => {
    const address: string = await serve((request, response) => {
      const pages: Record<string, [string[], string?]> = {
        '/v2/a/b/tags/list?n=1000': [['v2', 'v1'], '</v2/a/b/tags/list?last=v2>; rel="next"'],
        '/v2/a/b/tags/list?last=v2': [['v3'], `<http://${request.headers.host}/v2/a/b/tags/list?last=v3>; rel=next`],
        '/v2/a/b/tags/list?last=v3': [['v3', 'v4']],
      };
      const [tags, link] = pages[request.url ?? ''] ?? [['wrong page']];
      response.writeHead(200, link === undefined ? {} : { Link: link }).end(JSON.stringify({ name: 'a/b', tags }));
    });
    expect(await new RegistryClient({ address }).listTags('a/b')).toEqual(['v1', 'v2', 'v3', 'v4']);
  });

  it('ends a list that names itself as its next page, and reads null as no tags', async () => {
    const address = await serve((request, response) => {
      response.writeHead(200, { Link: `<${request.url}>; rel="next"` }).end('{"tags":null}');
    });
    expect(await new RegistryClient({ address }).listTags('a')).toEqual([]);
    expect(seen).toHaveLength(1);
  });

  it('gets a token with the credentials for what it is about to do, and uses it again', async () => {
    const address: string = await serve((request, response) => {
      if (request.url?.startsWith('/token')) {
        response.end(JSON.stringify({ token: 'secret-token', expires_in: 300 }));
      } else if (request.headers.authorization !== 'Bearer secret-token') {
        const realm = `http://${request.headers.host}/token`;
        response
          .writeHead(401, { 'WWW-Authenticate': `Bearer realm="${realm}",service="registry, the",scope="x"` })
          .end();
      } else response.end('{"tags":[]}');
    });
    const client = new RegistryClient({ address, credentials: { username: 'ann', password: 'pw' } });
    await client.listTags('a/b');
    await client.listTags('a/b');
    const basic = `Basic ${Buffer.from('ann:pw').toString('base64')}`;
    expect(seen).toEqual([
      'GET /v2/a/b/tags/list?n=1000',
      `GET /token?service=registry%2C+the&scope=repository%3Aa%2Fb%3Apull ${basic}`,
      'GET /v2/a/b/tags/list?n=1000 Bearer secret-token',
      'GET /v2/a/b/tags/list?n=1000 Bearer secret-token',
    ]);
  });

  it('answers a demand for basic authentication, and says what to check when it is refused', async () => {
    const address = await serve((request, response) => {
      const right = request.headers.authorization === `Basic ${Buffer.from('ann:pw').toString('base64')}`;
      if (right) response.end('{"tags":["v1"]}');
      else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="registry"' }).end();
    });
    const options = { address, credentials: { username: 'ann', password: 'pw' } };
    expect(await new RegistryClient(options).listTags('a')).toEqual(['v1']);
    const refused = await failure(new RegistryClient({ address }).listTags('a'));
    expect([refused.type, refused.nonRetryable]).toEqual(['SystemRefused', true]);
    expect(refused.message).toContain('Check the credentials');
  });

  it('takes no credentials to another host', async () => {
    const elsewhere = await serve((_, response) => response.end('{"created":"2026-01-01T00:00:00Z"}'));
    const address = await serve((request, response) => {
      if (request.headers.authorization === undefined) {
        response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="registry"' }).end();
      } else response.writeHead(307, { Location: `http://${elsewhere}/store/blob` }).end();
    });
    const client = new RegistryClient({ address, credentials: { username: 'ann', password: 'pw' } });
    const digest = sha256(Buffer.from('{"created":"2026-01-01T00:00:00Z"}'));
    expect(await client.getJsonBlob('a', digest, z.looseObject({}))).toEqual({ created: '2026-01-01T00:00:00Z' });
    expect(seen.at(-1)).toBe('GET /store/blob');
  });

  it('does not take content that has another digest', async () => {
    const address = await serve((_, response) => {
      // As registry 2.8 after a collection: 200, and no body.
      response.writeHead(200, { 'Docker-Content-Digest': `sha256:${'1'.repeat(64)}` }).end();
    });
    const client = new RegistryClient({ address });
    for (const call of [
      client.getManifest('a', 'v1'),
      client.getManifest('a', `sha256:${'2'.repeat(64)}`),
      client.getJsonBlob('a', `sha256:${'2'.repeat(64)}`, z.unknown()),
    ]) {
      expect((await failure(call)).type).toBe('UnexpectedAnswer');
    }
  });

  it.each([
    [404, '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}', 'none'],
    [403, '{"errors":[{"code":"DENIED","message":"requested access is denied"}]}', 'SystemRefused'],
    [429, 'slow down', 'SystemUnavailable'],
    [503, '<html>bad gateway</html>', 'SystemUnavailable'],
  ])('reads the answer %i', async (status, body, type) => {
    const address = await serve((_, response) => response.writeHead(status).end(body));
    expect((await failure(new RegistryClient({ address }).getManifest('a', 'v1'))).type).toBe(type);
  });

  it('tells a registry that is read-only from one that forbids deletions', async () => {
    const unsupported = '{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}';
    for (const [body, type, advice] of [
      ['', 'SystemUnavailable', 'read-only'],
      [unsupported, 'SystemRefused', 'storage.delete.enabled'],
    ] as const) {
      const address = await serve((_, response) => response.writeHead(405).end(body));
      const refused = await failure(new RegistryClient({ address }).deleteManifest('a', `sha256:${'1'.repeat(64)}`));
      expect([refused.type, refused.message]).toEqual([type, expect.stringContaining(advice)]);
    }
  });

  it('gives up a call at its deadline, and at the wish of its caller', async () => {
    const address = await serve(() => undefined);
    const late = await failure(new RegistryClient({ address, timeoutMs: 50 }).listTags('a'));
    expect([late.type, late.nonRetryable]).toEqual(['SystemUnavailable', false]);
    const stop = new AbortController();
    const stopped = failure(new RegistryClient({ address }).listTags('a', { signal: stop.signal }));
    stop.abort(new Error('enough'));
    expect((await stopped).message).toBe('enough');
  });

  it('reads challenges as they are written', () => {
    const { scheme, parameters } = parseChallenge('Bearer realm="https://a/t?x=\\"1\\"", service=plain,scope="a,b"');
    expect([scheme, Object.fromEntries(parameters)]).toEqual([
      'bearer',
      { realm: 'https://a/t?x="1"', service: 'plain', scope: 'a,b' },
    ]);
  });
});
