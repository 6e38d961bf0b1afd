/** What a program told, by the name of its step. */
export type Told = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/** Reads a program's lines of JSON, of which each has a `step`. */
export function toldIn(stdout: string): Told {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return new Map(lines.map((line) => JSON.parse(line)).map(({ step, ...result }) => [step, result]));
}
