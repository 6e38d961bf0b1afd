/**
 * JSON as Mesos writes it: doubles keep a point (`4.0`), which clients in typed languages rely on. Every number under
 * one of these names is a double in mesos.proto or in the state endpoints; all other numbers are integers.
 */
const DOUBLES: ReadonlySet<string> = new Set([
  'value',
  'timestamp',
  'heartbeat_interval_seconds',
  'failover_timeout',
  'refuse_seconds',
  'delay_seconds',
  'interval_seconds',
  'timeout_seconds',
  'grace_period_seconds',
  'cpus',
  'mem',
  'disk',
  'gpus',
  'registered_time',
  'reregistered_time',
  'unregistered_time',
  'start_time',
  'elected_time',
  'build_time',
  'weight',
  'activated_slaves',
  'deactivated_slaves',
  'unreachable_slaves',
]);

// In ECMAScript since V8 11.4 ("JSON.parse source text access"), not yet in TypeScript's library.
const { rawJSON } = JSON as JSON & { rawJSON(text: string): unknown };

/** A number to be written with a point, wherever it stands. */
export function double(value: number): unknown {
  return Number.isInteger(value) ? rawJSON(`${value}.0`) : value;
}

/** The text of an answer or an event. */
export function wireJson(value: unknown): string {
  return JSON.stringify(value, (key, member: unknown) =>
    typeof member === 'number' && DOUBLES.has(key) ? double(member) : member,
  );
}
