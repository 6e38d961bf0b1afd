import { displayWidth, harmless, padded, truncate } from './display-width.ts';

/** Rows in columns as wide as their widest cell, under their titles; no line wider than the terminal. */
export function renderTable(titles: readonly string[], rows: readonly (readonly string[])[], width: number): string[] {
  const table = [titles, ...rows].map((row) => row.map(harmless));
  const widths = titles.map((_, column) => Math.max(...table.map((row) => displayWidth(row[column] ?? ''))));
  return table.map((row) => {
    const cells = widths.map((columns, column) => padded(row[column] ?? '', columns));
    return truncate(cells.join('  ').trimEnd(), width);
  });
}
