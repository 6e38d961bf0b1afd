import { HttpError } from './http-error.ts';

/** Whether an app's labels fit. */
export type LabelSelector = (labels: Readonly<Record<string, string>>) => boolean;

/**
 * Reads `k`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a,b)`, joined by commas that mean "and"; all but
 * the first ask for the label to be there too. `\` takes the special meaning from the next character. Anything else is a 422.
 */
export function parseLabelSelector(text: string): LabelSelector {
  const reader = new Reader(text);
  const terms: LabelSelector[] = [];
  do {
    terms.push(readTerm(reader));
  } while (reader.take(','));
  if (!reader.atEnd) reader.fail(`end of input expected`);
  return (labels) => terms.every((term) => term(labels));
}

function readTerm(reader: Reader): LabelSelector {
  const label = reader.word();
  if (reader.take('==')) {
    const value = reader.word();
    return (labels) => labels[label] === value;
  }
  if (reader.take('!=')) {
    const value = reader.word();
    return (labels) => Object.hasOwn(labels, label) && labels[label] !== value;
  }
  if (reader.takeWord('in')) {
    const values = readSet(reader);
    return (labels) => values.includes(labels[label] ?? '') && Object.hasOwn(labels, label);
  }
  if (reader.takeWord('notin')) {
    const values = readSet(reader);
    return (labels) => Object.hasOwn(labels, label) && !values.includes(labels[label] ?? '');
  }
  return (labels) => Object.hasOwn(labels, label);
}

function readSet(reader: Reader): readonly string[] {
  reader.expect('(');
  const values: string[] = [];
  do {
    values.push(reader.word());
  } while (reader.take(','));
  reader.expect(')');
  return values;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    this.#skipBlanks();
    return this.#at >= this.#text.length;
  }

  /** True, and read on, when these characters come next. */
  take(token: string): boolean {
    this.#skipBlanks();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  /** The same for a word, which must end there. */
  takeWord(word: string): boolean {
    this.#skipBlanks();
    const next = this.#text[this.#at + word.length];
    if (!this.#text.startsWith(word, this.#at) || (next !== undefined && /[A-Za-z0-9_.-]/.test(next))) return false;
    this.#at += word.length;
    return true;
  }

  expect(token: string): void {
    if (this.take(token)) return;
    const found = this.atEnd ? 'end of source' : `\`${this.#text[this.#at]}'`;
    this.fail(`'${token}' expected but ${found} found`);
  }

  word(): string {
    this.#skipBlanks();
    let word = '';
    for (; this.#at < this.#text.length; this.#at += 1) {
      const character = this.#text[this.#at] ?? '';
      if (character === '\\') {
        this.#at += 1;
        word += this.#text[this.#at] ?? '';
      } else if (/[\s,()=!]/.test(character)) {
        break;
      } else {
        word += character;
      }
    }
    if (word === '') this.fail('end of input expected');
    return word;
  }

  fail(reason: string): never {
    throw new HttpError(422, { message: `Can not parse label selector ${this.#text}. Reason: ${reason}` });
  }

  #skipBlanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }
}
