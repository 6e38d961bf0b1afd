import { describe, expect, it } from '@jest/globals';
import { decode } from './decode.ts';
import { messageType } from './messages.ts';

type Name = Parameters<typeof messageType>[0];

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const read = (name: Name, bytes: string) => decode(messageType(name), hex(bytes));

describe('bytes are read', () => {
  it.each<[string, Name, string, object]>([
    ['nothing as an empty message', 'master.Call', '', {}],
    ['an enumeration as its word', 'master.Call', '08 01', { type: 'GET_HEALTH' }],
    ['bytes as base64', 'Secret.Value', '0a 03 00ff10', { data: 'AP8Q' }],
    ['a string', 'AgentID', '0a 02 c3a9', { value: 'é' }],
    ['a double', 'Filters', '09 000000000000f83f', { refuse_seconds: 1.5 }],
    ['a negative int32', 'scheduler.Event.Failure', '18 ffffffffffffffffff01', { status: -1 }],
    ['64 bits', 'TimeInfo', '08 808090b0a8d2e6f518', { nanoseconds: Number('1795698830541586432') }],
    [
      'a message inside',
      'Attribute',
      '0a 01 61 10 03 2a 03 0a 01 62',
      { name: 'a', type: 'TEXT', text: { value: 'b' } },
    ],
    ['a list', 'Value.Set', '0a 01 61 0a 01 62', { item: ['a', 'b'] }],
    ['numbers one by one', 'HealthCheck.HTTPCheckInfo', '08 50 20 c801 20 c901', { port: 80, statuses: [200, 201] }],
    ['numbers packed', 'HealthCheck.HTTPCheckInfo', '08 50 22 04 c801 c901', { port: 80, statuses: [200, 201] }],
    [
      'a map, the later of two entries of a key',
      'OfferFilters.ResourceQuantities',
      '0a 0e 0a0161 1209 09000000000000f03f 0a 0e 0a0161 1209 090000000000000040',
      { quantities: { a: { value: 2 } } },
    ],
  ])('%s', (_, name, bytes, message) => {
    expect(read(name, bytes)).toEqual(message);
  });
});

describe('what is not known is skipped', () => {
  it.each<[string, string]>([
    ['a number', '08 01 f8 7f 05'],
    ['64 bits', '08 01 f9 7f 0102030405060708'],
    ['bytes', '08 01 fa 7f 02 6869'],
    ['32 bits', '08 01 fd 7f 01020304'],
    ['a group with a field in it', '08 01 fb 7f 08 05 fc 7f'],
    ['a field of another wire type', '08 01 0a 01 01'],
    ['a later unknown word', '08 01 08 7f'],
  ])('%s', (_, bytes) => {
    expect(read('master.Call', bytes)).toEqual({ type: 'GET_HEALTH' });
  });
});

describe('a field that is there twice', () => {
  it('counts as the last one', () => {
    expect(read('AgentID', '0a 01 61 0a 01 62')).toEqual({ value: 'b' });
  });

  it('is merged if it is a message', () => {
    const [framework, hostname] = ['0a 01 75 12 01 6e', '3a 01 68'];
    expect(read('scheduler.Call.Subscribe', `0a 06 ${framework} 0a 03 ${hostname}`)).toEqual({
      framework_info: { user: 'u', name: 'n', hostname: 'h' },
    });
  });
});

describe('bytes that are no such message are refused', () => {
  it.each<[string, Name, string]>([
    ['no tag', 'master.Call', 'ff ff'],
    ['JSON', 'master.Call', Buffer.from('{"type":"GET_HEALTH"}').toString('hex')],
    ['field number 0', 'master.Call', '08 01 00 01'],
    ['cut in a number', 'master.Call', '08'],
    ['cut in a string', 'AgentID', '0a 05 61'],
    ['longer inside than outside', 'scheduler.Call', '0a 02 0a 05 61 61 61 61 61'],
    ['end of a group', 'master.Call', '0c'],
    ['a group without end', 'master.Call', 'fb 7f 08 05'],
    ['a required field is missing', 'master.Call', '08 1f 82 01 00'],
    ['a required field has an unknown word', 'Attribute', '0a 01 61 10 63'],
  ])('%s', (_, name, bytes) => {
    expect(() => read(name, bytes)).toThrow();
  });
});
