/**
 * What Marathon's JSON parser (Jackson) says of text that is not JSON. Clients show it to people, so the words are its
 * own where the records have them; elsewhere they are of the same kind.
 */
export function parserWords(text: string): string {
  try {
    new Scanner(text).document();
  } catch (error) {
    if (error instanceof Fault) return error.message;
    throw error;
  }
  return 'Unexpected content after the end of the JSON value';
}

class Fault extends Error {}

const LITERALS = ['null', 'true', 'false'];
const VALUE = "JSON String, Number, Array, Object or token 'null', 'true' or 'false'";

/** Goes through the text until the first thing that is wrong. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#value('root');
  }

  #value(inside: 'root' | 'Object' | 'Array'): void {
    const next = this.#next(inside);
    if (next === '{') this.#object();
    else if (next === '[') this.#array();
    else if (next === '"') this.#string();
    else this.#word(next);
  }

  #object(): void {
    this.#at += 1;
    if (this.#next('Object') === '}') {
      this.#at += 1;
      return;
    }
    for (;;) {
      const quote = this.#next('Object');
      if (quote !== '"') throw unexpected(quote, 'was expecting double-quote to start field name');
      this.#string();
      const colon = this.#next('Object');
      if (colon !== ':') throw unexpected(colon, 'was expecting a colon to separate field name and value');
      this.#at += 1;
      this.#value('Object');
      const end = this.#next('Object');
      this.#at += 1;
      if (end === '}') return;
      if (end !== ',') throw unexpected(end, 'was expecting comma to separate Object entries');
    }
  }

  #array(): void {
    this.#at += 1;
    if (this.#next('Array') === ']') {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#value('Array');
      const end = this.#next('Array');
      this.#at += 1;
      if (end === ']') return;
      if (end !== ',') throw unexpected(end, 'was expecting comma to separate Array entries');
    }
  }

  #string(): void {
    // Sign by sign: an expression would need a stack as deep as the string is long.
    for (let at = this.#at + 1; at < this.#text.length; at += 1) {
      const sign = this.#text[at];
      if (sign === '\\') at += 1;
      else if (sign === '"') {
        this.#at = at + 1;
        return;
      }
    }
    throw new Fault('Unexpected end-of-input: was expecting closing quote for a string value');
  }

  #word(first: string): void {
    const [word] = /^[\p{L}\p{N}_$.+-]+/u.exec(this.#text.slice(this.#at)) ?? [];
    if (word === undefined) throw unexpected(first, `expected a valid value (${VALUE})`);
    if (!LITERALS.includes(word) && Number.isNaN(Number(word))) {
      throw new Fault(`Unrecognized token '${word}': was expecting (${VALUE})`);
    }
    this.#at += word.length;
  }

  /** The next character that is no white space. */
  #next(inside: 'root' | 'Object' | 'Array'): string {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
    const next = this.#text[this.#at];
    if (next === undefined) {
      throw new Fault(
        inside === 'root' ? 'Unexpected end-of-input' : `Unexpected end-of-input within/between ${inside} entries`,
      );
    }
    return next;
  }
}

function unexpected(character: string, wanted: string): Fault {
  return new Fault(`Unexpected character ('${character}' (code ${character.charCodeAt(0)})): ${wanted}`);
}
