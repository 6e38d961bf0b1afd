/** One measured number of a bench. `bar` and `holds` come together, or the figure is only for information. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What the value was held against, such as `<= 240`. */
  readonly bar?: string;
  readonly holds?: boolean;
}

/** What `bench/<name>.ts` exports by default: it sets up, measures, clears away, and answers with its figures. */
export type Bench = () => Promise<readonly Figure[]>;

/** A figure that is told, not judged. @public */
export function observed(name: string, value: number, unit: string): Figure {
  return { name, value, unit };
}

/** A figure that may not be over its bar. */
export function atMost(name: string, value: number, unit: string, bar: number): Figure {
  return { name, value, unit, bar: `<= ${bar}`, holds: value <= bar };
}

/** A figure that may not be under its bar. @public */
export function atLeast(name: string, value: number, unit: string, bar: number): Figure {
  return { name, value, unit, bar: `>= ${bar}`, holds: value >= bar };
}

/**
 * Reasons why these figures do not count as a success, one a line; none when every bar holds. No figures at all, a
 * value that is not a number, and a bar without a judgement are failures too.
 */
export function shortcomings(figures: readonly Figure[]): string[] {
  if (figures.length === 0) return ['the bench measured nothing'];
  return figures.flatMap(({ name, value, unit, bar, holds }) => {
    if (!Number.isFinite(value)) return [`${name} is ${value}, not a number`];
    if ((bar === undefined) !== (holds === undefined)) return [`${name} has a bar or a judgement, but not both`];
    return holds === false ? [`${name} is ${value} ${unit}, its bar is ${bar}`] : [];
  });
}

/** The figures as a Markdown table, as BENCHMARKS.md keeps them. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ name, value, unit, bar, holds }) => {
    const verdict = holds === undefined ? '' : holds ? 'yes' : 'no';
    return [name, String(value), unit, bar ?? '', verdict];
  });
  return [['figure', 'value', 'unit', 'bar', 'holds'], ['---', '---:', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}
