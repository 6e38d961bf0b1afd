import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { isSigningSecret, signatureProblem, signMessage } from './standard-webhooks.ts';

/** The vector that the specification publishes. */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const MESSAGE = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: '1614265330',
  body: Buffer.from('{"test": 2432232314}'),
};
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const SENT_AT = 1_614_265_330;

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

describe('Standard Webhooks signatures', () => {
  it('gives and takes the published vector', () => {
    expect(signMessage(SECRET, MESSAGE)).toBe(SIGNATURE);
    expect(signatureProblem([SECRET], MESSAGE, SIGNATURE, SENT_AT)).toBeUndefined();
  });

  it('signs as the published library does', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        fc.string({ minLength: 1, unit: 'grapheme-ascii' }),
        fc.integer({ min: 0, max: 4_000_000_000 }),
        fc.string({ unit: 'grapheme' }),
        (key, id, seconds, body) => {
          const secret = `whsec_${Buffer.from(key).toString('base64')}`;
          const theirs = new Webhook(secret).sign(id, new Date(seconds * 1000), body);
          return signMessage(secret, { id, timestamp: String(seconds), body: Buffer.from(body) }) === theirs;
        },
      ),
    );
  });

  it('takes either of two secrets and any one of several signatures', () => {
    const signatures = `v1a,abc ${signMessage(newSecret(), MESSAGE)} ${SIGNATURE}`;
    expect(signatureProblem([newSecret(), SECRET], MESSAGE, signatures, SENT_AT)).toBeUndefined();
    expect(signatureProblem([newSecret(), newSecret()], MESSAGE, signatures, SENT_AT)).toBe('no-match');
    expect(signatureProblem([], MESSAGE, signatures, SENT_AT)).toBe('no-match');
  });

  it('refuses any single changed bit of the body, of the id and of the signature', () => {
    for (let bit = 0; bit < MESSAGE.body.length * 8; bit += 1) {
      const body = flip(MESSAGE.body, bit);
      expect(signatureProblem([SECRET], { ...MESSAGE, body }, SIGNATURE, SENT_AT)).toBe('no-match');
    }
    const signature = Buffer.from(SIGNATURE.slice(3), 'base64');
    for (let bit = 0; bit < signature.length * 8; bit += 1) {
      const forged = `v1,${flip(signature, bit).toString('base64')}`;
      expect(signatureProblem([SECRET], MESSAGE, forged, SENT_AT)).toBe('no-match');
    }
    expect(signatureProblem([SECRET], { ...MESSAGE, id: 'msg_other' }, SIGNATURE, SENT_AT)).toBe('no-match');
    expect(signatureProblem([SECRET], { ...MESSAGE, timestamp: '1614265331' }, SIGNATURE, SENT_AT)).toBe('no-match');
  });

  it('tells bodies apart that are one as text', () => {
    const body = Buffer.from([0xff]);
    const signature = signMessage(SECRET, { ...MESSAGE, body });
    expect(signatureProblem([SECRET], { ...MESSAGE, body }, signature, SENT_AT)).toBeUndefined();
    expect(signatureProblem([SECRET], { ...MESSAGE, body: Buffer.from([0xfe]) }, signature, SENT_AT)).toBe('no-match');
  });

  it('refuses a time outside the window, before and after, and takes its edges', () => {
    const at = (now: number) => signatureProblem([SECRET], MESSAGE, SIGNATURE, now);
    expect(at(SENT_AT + 300)).toBeUndefined();
    expect(at(SENT_AT + 301)).toBe('too-old');
    expect(at(SENT_AT - 300)).toBeUndefined();
    expect(at(SENT_AT - 301)).toBe('too-new');
    expect(signatureProblem([SECRET], { ...MESSAGE, timestamp: '1614265330x' }, SIGNATURE, SENT_AT)).toBe(
      'bad-timestamp',
    );
  });

  it.each(['id', 'timestamp', 'body'] as const)('refuses a message without its %s', (field) => {
    expect(signatureProblem([SECRET], { ...MESSAGE, [field]: undefined }, SIGNATURE, SENT_AT)).toBe('missing-headers');
    expect(signatureProblem([SECRET], MESSAGE, undefined, SENT_AT)).toBe('missing-headers');
  });

  it('knows the form of a secret', () => {
    expect(isSigningSecret(newSecret())).toBe(true);
    expect(isSigningSecret(SECRET)).toBe(true);
    expect(isSigningSecret(`whsec_${randomBytes(16).toString('base64')}`)).toBe(false);
    expect(isSigningSecret(`whsec_${randomBytes(65).toString('base64')}`)).toBe(false);
    expect(isSigningSecret(randomBytes(32).toString('base64'))).toBe(false);
    expect(isSigningSecret(`${newSecret()} `)).toBe(false);
    expect(() => signMessage('whsec_', MESSAGE)).toThrow('a signing secret is whsec_');
  });
});

function flip(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}
