import assert from 'node:assert/strict';
import { once } from 'node:events';
import { afterEach, beforeEach, test } from 'node:test';
import { names, offer } from '../src/offers.js';
import { createService } from '../src/server.js';

let service;
let url;

beforeEach(async () => {
  service = createService({ version: '1.2.3', revision: 'r1' });
  service.server.listen(0, '127.0.0.1');
  await once(service.server, 'listening');
  url = `http://127.0.0.1:${service.server.address().port}`;
});
afterEach(() => service.close());

test('every good has a price', () => {
  for (const [visitor] of names.entries()) assert.ok(offer(visitor).cents > 0);
});

test('tells its version', async () => {
  assert.deepEqual(await (await fetch(`${url}/version`)).json(), { version: '1.2.3', revision: 'r1' });
});

test('makes every visitor an offer', async () => {
  for (const name of names) {
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).offer.name, name);
  }
});

test('does not know other pages', async () => {
  assert.equal((await fetch(`${url}/nothing`)).status, 404);
});
