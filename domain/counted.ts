/** A number with its noun: `1 instance`, `3 instances`. @param noun one whose plural only adds an s */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
