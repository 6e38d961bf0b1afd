/**
 * Chance that replays: a number that depends on the seed and on what is asked alone, never on what was asked before. So
 * two calls that come in another order are decided alike.
 */
export class Chance {
  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** From 0 up to, not including, 1. */
  of(what: string): number {
    return mixed(`${this.seed}:${what}`) / 2 ** 32;
  }

  /** @param probability from 0 to 1 */
  hits(what: string, probability: number): boolean {
    return this.of(what) < probability;
  }

  /** A whole number of 0 to below `below`. */
  below(what: string, below: number): number {
    return Math.floor(this.of(what) * below);
  }

  pick<T>(what: string, choices: readonly [T, ...T[]]): T {
    return choices[this.below(what, choices.length)] ?? choices[0];
  }

  /** Picks one by its weight; the weights need no particular sum. */
  weighted<T>(what: string, choices: readonly (readonly [number, T])[]): T {
    const total = choices.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.of(what) * total;
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    throw new RangeError(`there is nothing to pick for ${what}`);
  }
}

/** FNV-1a over the text, then the finalizer of MurmurHash3 (32 bits; both public domain), which spreads it over all bits. */
function mixed(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
