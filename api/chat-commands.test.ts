import { describe, expect, it } from '@jest/globals';
import { parseChatCommand } from './chat-commands.ts';

const release = { service: 'sample', key: 'k1' };
const veto = { environment: 'prod', service: 'sample', bundle: 'b-0123456789abcdef' };
const digest = `sha256:${'ab'.repeat(32)}`;

describe('chat commands', () => {
  it.each([
    [`approve sample/k1 ${digest}`, { verb: 'approve', release, planDigest: digest }],
    ['  Approve   release/sample/k1  abababababab ', { verb: 'approve', release, planDigest: 'sha256:abababababab' }],
    ['approve sample/k1 ababababab', { verb: 'usage', of: 'approve' }],
    [`approve sample/k1 ${digest} ${digest}`, { verb: 'usage', of: 'approve' }],
    ['approve sample/k1', { verb: 'usage', of: 'approve' }],
    ['approve', { verb: 'usage', of: 'approve' }],
    ['abort sample/k1 too  many errors', { verb: 'abort', release, reason: 'too many errors' }],
    ['abort sample/k1', { verb: 'usage', of: 'abort' }],
    ['abort sample/k1/extra reason', { verb: 'usage', of: 'abort' }],
    ['rollback sample/k1 why', { verb: 'rollback', release, reason: 'why' }],
    ['reject sample/k1 why', { verb: 'reject', release, reason: 'why' }],
    ['status sample/k1', { verb: 'status', release }],
    ['status ../k1', { verb: 'usage', of: 'status' }],
    [
      'adopt prod/sample it was late',
      { verb: 'adopt', lane: { environment: 'prod', service: 'sample' }, reason: 'it was late' },
    ],
    ['revert prod/sample', { verb: 'usage', of: 'revert' }],
    ['revert sample no', { verb: 'usage', of: 'revert' }],
    ['vetoes sample', { verb: 'vetoes', service: 'sample' }],
    ['vetoes', { verb: 'usage', of: 'vetoes' }],
    ['vetoes sample prod', { verb: 'usage', of: 'vetoes' }],
    [`lift prod/sample ${veto.bundle} it was the database`, { verb: 'lift', veto, reason: 'it was the database' }],
    [`lift prod/sample ${veto.bundle}`, { verb: 'usage', of: 'lift' }],
    ['lift prod/sample 2.0.0 why', { verb: 'usage', of: 'lift' }],
    [`lift sample ${veto.bundle} why`, { verb: 'usage', of: 'lift' }],
    ['help', { verb: 'help' }],
    ['constructor', { verb: 'unknown' }],
    ['', { verb: 'unknown' }],
  ])('reads %j', (text, command) => {
    expect(parseChatCommand(text)).toEqual({ command, language: 'en' });
  });

  it.each([
    [`批准 sample/k1 ${digest}`, { verb: 'approve', release, planDigest: digest }],
    ['中止 sample/k1 颜色不对', { verb: 'abort', release, reason: '颜色不对' }],
    ['状态 sample/k1', { verb: 'status', release }],
    ['还原 prod/sample 误操作', { verb: 'revert', lane: { environment: 'prod', service: 'sample' }, reason: '误操作' }],
    ['否决 sample', { verb: 'vetoes', service: 'sample' }],
    [`解除 prod/sample ${veto.bundle} 误报`, { verb: 'lift', veto, reason: '误报' }],
    ['帮助', { verb: 'help' }],
    ['你好', { verb: 'unknown' }],
  ])('reads %s, to be answered in Chinese', (text, command) => {
    expect(parseChatCommand(text)).toEqual({ command, language: 'zh' });
  });

  it('answers an English verb in English, whatever the reason is written in', () => {
    expect(parseChatCommand('abort sample/k1 颜色不对').language).toBe('en');
  });
});
