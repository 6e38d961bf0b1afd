import { isJsonObject } from '../../cell/mesos/protobuf/notation.ts';

/** JSON without its empty lists, which protobuf does not carry. */
export function withoutEmptyLists(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutEmptyLists);
  if (!isJsonObject(json)) return json;
  return Object.fromEntries(
    Object.entries(json)
      .filter(([, value]) => !(Array.isArray(value) && value.length === 0))
      .map(([name, value]) => [name, withoutEmptyLists(value)]),
  );
}
