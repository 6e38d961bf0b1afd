/** How often what occurred, by table and name. */
export class Tally {
  private readonly tables = new Map<string, Map<string, number>>();

  count(table: string, name: string, times = 1): void {
    const counts = this.tables.get(table) ?? new Map<string, number>();
    this.tables.set(table, counts);
    counts.set(name, (counts.get(name) ?? 0) + times);
  }

  add(other: Tally): void {
    for (const [table, counts] of other.tables) {
      for (const [name, times] of counts) this.count(table, name, times);
    }
  }

  has(table: string, name: string): boolean {
    return this.tables.get(table)?.has(name) ?? false;
  }

  /** A line for each table, what occurred most often first. */
  lines(): string[] {
    return [...this.tables].map(([table, counts]) => {
      const told = [...counts].sort(([, one], [, other]) => other - one).map(([name, times]) => `${name} ${times}`);
      return `${table.padEnd(8)} ${told.join(', ')}`;
    });
  }
}
