/** What Mesos shows in JSON beside what was set. */
import { type Field, isJsonObject, type JsonObject, type MessageType } from './notation.ts';

/**
 * The message with the default of every field that has one and is not set, also in the messages inside it: so Mesos
 * writes its JSON, while its protobuf leaves them out.
 */
export function withDefaults(type: MessageType, message: object): JsonObject {
  const complete: JsonObject = { ...message };
  for (const field of type.fields) {
    const value = complete[field.name];
    if (value !== undefined) complete[field.name] = fieldWithDefaults(field, value);
    else if (field.ifUnset !== undefined) complete[field.name] = field.ifUnset;
  }
  return complete;
}

function fieldWithDefaults({ rule, type }: Field, value: unknown): unknown {
  if (typeof type === 'string' || type.kind === 'enumeration') return value;
  const one = (member: unknown) => (isJsonObject(member) ? withDefaults(type, member) : member);
  if (rule === 'repeated' && Array.isArray(value)) return value.map(one);
  if (rule !== 'map' || !isJsonObject(value)) return one(value);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, one(member)]));
}
