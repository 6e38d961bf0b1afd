/** The messages that travel to and from a master. */
import { CLUSTER_MESSAGES } from './cluster-messages.ts';
import { CONTAINER_MESSAGES } from './container-messages.ts';
import { compile, type Definitions, type MessageType } from './notation.ts';
import { OFFER_MESSAGES } from './offer-messages.ts';
import { OPERATOR_MESSAGES } from './operator-messages.ts';
import { SCHEDULER_MESSAGES } from './scheduler-messages.ts';
import { TASK_MESSAGES } from './task-messages.ts';

const DEFINITIONS = {
  ...CLUSTER_MESSAGES,
  ...CONTAINER_MESSAGES,
  ...OFFER_MESSAGES,
  ...OPERATOR_MESSAGES,
  ...SCHEDULER_MESSAGES,
  ...TASK_MESSAGES,
} as const satisfies Definitions;

const TYPES = compile(DEFINITIONS);

/** The message of a name, such as `scheduler.Call`. */
export function messageType(name: keyof typeof DEFINITIONS): MessageType {
  const type = TYPES.get(name);
  if (type === undefined) throw new Error(`${name} is an enumeration`);
  return type;
}

export const SCHEDULER_CALL: MessageType = messageType('scheduler.Call');
export const SCHEDULER_EVENT: MessageType = messageType('scheduler.Event');
export const OPERATOR_CALL: MessageType = messageType('master.Call');
export const OPERATOR_RESPONSE: MessageType = messageType('master.Response');
export const OPERATOR_EVENT: MessageType = messageType('master.Event');
