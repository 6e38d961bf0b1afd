import { describe, expect, it } from '@jest/globals';
import { requireAcceptable, requirePost } from './api-preamble.ts';
import { JSON_TYPE, PROTOBUF_TYPE } from './encoding.ts';
import type { HttpRequest } from './http-server.ts';

const post = (headers: HttpRequest['headers']): HttpRequest => ({
  method: 'POST',
  path: '/api/v1',
  query: new URLSearchParams(),
  headers,
  body: Buffer.alloc(0),
});

// Every line as a real Mesos 1.11.0 answered it.
describe('the form of the answer', () => {
  it.each([
    [undefined, JSON_TYPE],
    ['*/*', JSON_TYPE],
    ['application/json', JSON_TYPE],
    ['APPLICATION/JSON', JSON_TYPE],
    ['text/*, application/*', JSON_TYPE],
    ['application/x-protobuf', PROTOBUF_TYPE],
    ['application/x-protobuf, application/json', JSON_TYPE],
    ['application/x-protobuf;q=1, application/json;q=0.1', JSON_TYPE],
    ['application/x-protobuf, application/json;q=0', PROTOBUF_TYPE],
    ['application/json;q=0, */*', PROTOBUF_TYPE],
  ])('for Accept %j', (accept, mediaType) => {
    expect(requireAcceptable(post(accept === undefined ? {} : { accept }))).toBe(mediaType);
  });

  it.each(['', 'text/html', 'application/recordio', '*/*;q=0', 'application/json;q=0'])(
    'is refused for %j',
    (accept) => {
      expect(() => requireAcceptable(post({ accept }))).toThrow(
        "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
      );
    },
  );
});

describe('the form of the call', () => {
  it.each([JSON_TYPE, PROTOBUF_TYPE])('may be %s', (type) => {
    expect(requirePost(post({ 'content-type': type }))).toBe(type);
  });

  it.each(['application/json; charset=utf-8', 'application/X-protobuf', 'text/plain'])('may not be %s', (type) => {
    expect(() => requirePost(post({ 'content-type': type }))).toThrow(
      "Expecting 'Content-Type' of application/json or application/x-protobuf",
    );
  });
});
