/** How Mesos' JSON of a message differs from its protobuf. */
import { isJsonObject } from '../../cell/mesos/protobuf/notation.ts';

/** Mesos' JSON shows the default of an optional field that is not set; its protobuf leaves it out. */
const SHOWN_DEFAULTS: Readonly<Record<string, unknown>> = {
  protocol: 'IPv4',
  interval_seconds: 10,
  timeout_seconds: 20,
  consecutive_failures: 3,
  failover_timeout: 0,
  checkpoint: false,
};

/** The JSON without what protobuf does not carry: empty lists, and defaults that the other form does not have. */
export function carried(json: unknown, other: unknown): unknown {
  if (Array.isArray(json))
    return json.map((member, index) => carried(member, Array.isArray(other) ? other[index] : other));
  if (!isJsonObject(json)) return json;
  const beside = isJsonObject(other) ? other : {};
  return Object.fromEntries(
    Object.entries(json).flatMap(([name, value]) => {
      const isEmpty = Array.isArray(value) && value.length === 0;
      const isDefault = beside[name] === undefined && name in SHOWN_DEFAULTS && SHOWN_DEFAULTS[name] === value;
      return isEmpty || isDefault ? [] : [[name, carried(value, beside[name])]];
    }),
  );
}
