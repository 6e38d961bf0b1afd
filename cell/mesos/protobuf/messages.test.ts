import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { CLUSTER_MESSAGES } from './cluster-messages.ts';
import { CONTAINER_MESSAGES } from './container-messages.ts';
import { OPERATOR_CALL, OPERATOR_EVENT, OPERATOR_RESPONSE, SCHEDULER_CALL, SCHEDULER_EVENT } from './messages.ts';
import type { Enumeration, Field, MessageType } from './notation.ts';
import { OFFER_MESSAGES } from './offer-messages.ts';
import { OPERATOR_MESSAGES } from './operator-messages.ts';
import { SCHEDULER_MESSAGES } from './scheduler-messages.ts';
import { TASK_MESSAGES } from './task-messages.ts';

const TABLES = [
  ...[CLUSTER_MESSAGES, CONTAINER_MESSAGES, OFFER_MESSAGES],
  ...[OPERATOR_MESSAGES, SCHEDULER_MESSAGES, TASK_MESSAGES],
];

/** Everything that a message may hold, itself too. */
function reachable(type: Field['type'], found: Set<Enumeration | MessageType> = new Set()) {
  if (typeof type === 'string' || found.has(type)) return found;
  found.add(type);
  if (type.kind === 'message') for (const field of type.fields) reachable(field.type, found);
  return found;
}

const found = [SCHEDULER_CALL, SCHEDULER_EVENT, OPERATOR_CALL, OPERATOR_RESPONSE, OPERATOR_EVENT].reduce(
  (all, type) => reachable(type, all),
  new Set<Enumeration | MessageType>(),
);

describe('the definitions', () => {
  it('are each in one table', () => {
    const names = TABLES.flatMap((table) => Object.keys(table));
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('are all of messages that travel', () => {
    const messages = TABLES.flatMap((table) => Object.entries(table)).filter(
      ([, definition]) => !Object.values(definition).some((value) => typeof value === 'number'),
    );
    const travelling = new Set([...found].flatMap((type) => (type.kind === 'message' ? [type.name] : [])));
    expect(messages.map(([name]) => name).filter((name) => !travelling.has(name))).toEqual([]);
  });

  it('know every state, reason and source that the cell speaks of', () => {
    const words = new Set([...found].flatMap((type) => (type.kind === 'enumeration' ? [...type.numbers.keys()] : [])));
    const folder = join(import.meta.dirname, '..');
    const sources = globSync('*.ts', { cwd: folder }).filter((file) => !file.endsWith('.test.ts'));
    const spoken = sources.flatMap((file) =>
      [...readFileSync(join(folder, file), 'utf8').matchAll(/'((?:TASK|REASON|SOURCE|OPERATION)_[A-Z_]+)'/g)].map(
        ([, word]) => word,
      ),
    );
    expect(spoken).toEqual(expect.arrayContaining(['TASK_RUNNING', 'REASON_RECONCILIATION', 'SOURCE_MASTER']));
    expect(spoken.filter((word) => !words.has(String(word)))).toEqual([]);
  });
});
