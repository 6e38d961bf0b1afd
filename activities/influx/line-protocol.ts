/** One sample of one series at one second. */
export interface Point {
  readonly measurement: string;
  /** Few different values each: every combination is a series that stays. Empty values can't be written. */
  readonly tags: Readonly<Record<string, string>>;
  /** Numbers are written as floats; wrap whole numbers in `integer`. */
  readonly fields: Readonly<Record<string, number | Integer>>;
  /** Seconds since 1970. The same series and second again replaces the fields: a repeat is harmless. */
  readonly second: number;
}

/** A number that InfluxDB stores as a 64-bit integer. A field has one type for ever. */
export interface Integer {
  readonly integer: number;
}

export const integer = (value: number): Integer => ({ integer: value });

/**
 * A point in InfluxDB's line protocol (1.x reference, "Line protocol"), tags sorted by key as its authors advise.
 *
 * @throws {RangeError} for what InfluxDB would drop: no field, a number that is not finite, an integer that is not
 * whole, an empty tag value or one that ends in a backslash, a line break anywhere
 */
export function line({ measurement, tags, fields, second }: Point): string {
  const series = [
    escaped(measurement, /[, ]/g),
    ...Object.entries(tags)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([key, value]) => `${escaped(key, /[,= ]/g)}=${escaped(value, /[,= ]/g)}`),
  ].join(',');
  const values = Object.entries(fields).map(([key, value]) => `${escaped(key, /[,= ]/g)}=${fieldValue(key, value)}`);
  if (values.length === 0) throw new RangeError(`a point of ${measurement} has no field`);
  if (!Number.isInteger(second)) throw new RangeError(`a point of ${measurement} has the time ${second}`);
  return `${series} ${values.join(',')} ${second}`;
}

function fieldValue(key: string, value: number | Integer): string {
  const number = typeof value === 'number' ? value : value.integer;
  const fits = typeof value === 'number' ? Number.isFinite(number) : Number.isSafeInteger(number);
  if (!fits) throw new RangeError(`the field ${key} is ${number}`);
  return typeof value === 'number' ? String(number) : `${number}i`;
}

function escaped(text: string, special: RegExp): string {
  // A backslash before a separator would escape it, and there is no way to write one that does not.
  if (text === '' || text.endsWith('\\') || /[\r\n]/.test(text)) {
    throw new RangeError(`${JSON.stringify(text)} can't be written in line protocol`);
  }
  return text.replace(special, '\\$&');
}
