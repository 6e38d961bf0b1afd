import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { SHARED } from '../../shared.ts';
import { answerType, type Call } from './answer-types.ts';
import { type JsonSchema, schemasOf } from './raml.ts';

/**
 * Holds answers and events to Marathon's published types, RAML 1.11. Every breach is a line such as
 * `app.App/cpus: must be >= 0.001` or `task.Task: lacks role`, named by the type it is in, wherever that is used.
 */
export class Contract {
  readonly #ajv: Ajv;
  readonly #places: ReadonlyMap<unknown, string>;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(definitions: Readonly<Record<string, JsonSchema>>) {
    this.#ajv = new Ajv({ allErrors: true, inlineRefs: false, strictTypes: false, verbose: true });
    // The form that Marathon writes, not all that ISO 8601 allows.
    this.#ajv.addFormat('datetime', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    this.#places = placesOf(definitions);
    this.#ajv.addSchema({ $id: 'marathon', $defs: definitions });
  }

  /** The breaches of a JSON answer; a call that no type is known for is one. */
  answer(call: Call, body: unknown): readonly string[] {
    const type = answerType(call, body);
    return type === undefined ? [`${call.method} ${call.path}: has no type`] : this.breaches(type, body);
  }

  event(event: Readonly<Record<string, unknown>>): readonly string[] {
    const type = `events.${String(event['eventType'])}`;
    if (this.#ajv.getSchema(`marathon#/$defs/${type}`) === undefined) return [`${type}: has no type`];
    return this.breaches(type, event);
  }

  /** @param type such as `app.App`, `app.App[]` or `string` */
  breaches(type: string, value: unknown): readonly string[] {
    const validate = this.#validator(type);
    if (validate(value)) return [];
    const errors = validate.errors ?? [];
    // A union that nothing fits says so once; what each of its parts says besides would only confuse.
    const unions = errors.filter(({ keyword }) => keyword === 'anyOf').map(({ instancePath }) => instancePath);
    const plain = errors.filter(
      ({ keyword, instancePath }) => keyword === 'anyOf' || !unions.some((union) => instancePath.startsWith(union)),
    );
    return [...new Set(plain.map((error) => this.#line(error)))];
  }

  #line({ keyword, params, parentSchema, instancePath, message }: ErrorObject): string {
    const place = this.#places.get(parentSchema) ?? instancePath;
    if (keyword === 'additionalProperties') return `${place}: does not know ${params['additionalProperty']}`;
    if (keyword === 'required') return `${place}: lacks ${params['missingProperty']}`;
    return `${place}: ${keyword === 'enum' ? 'is none of the values' : message}`;
  }

  #validator(type: string): ValidateFunction {
    const known = this.#validators.get(type);
    if (known) return known;
    const item = type.replace(/\[\]$/, '');
    const schema = item.includes('.') ? { $ref: `marathon#/$defs/${item}` } : { type: item };
    const validate = this.#ajv.compile(item === type ? schema : { type: 'array', items: schema });
    this.#validators.set(type, validate);
    return validate;
  }
}

/** Names every part of every type, such as `app.App/constraints(*)`; what is inherited by the first that has it. */
function placesOf(definitions: Readonly<Record<string, JsonSchema>>): ReadonlyMap<unknown, string> {
  const places = new Map<unknown, string>();
  const visit = (schema: unknown, place: string): void => {
    if (typeof schema !== 'object' || schema === null) return;
    if (!places.has(schema)) places.set(schema, place);
    const { properties, patternProperties, items, anyOf, allOf } = schema as Readonly<Record<string, object>>;
    for (const [name, member] of Object.entries(properties ?? {})) visit(member, `${place}/${name}`);
    for (const member of Object.values(patternProperties ?? {})) visit(member, `${place}/*`);
    for (const member of [anyOf ?? [], allOf ?? []].flat()) visit(member, place);
    visit(items, `${place}(*)`);
  };
  const named = Object.entries(definitions).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, schema] of named) visit(schema, name);
  return places;
}

/** Our own libraries, for what Marathon's RAML does not type. */
const OURS = ['answers.raml', 'events.raml'];
/** Marathon's that answers are made of; they use others. */
const THEIRS = [
  ...['app', 'task', 'group', 'queue', 'info', 'error', 'newMetrics', 'stringTypes'],
  ...['deploymentEventsInfo', 'deploymentResult', 'deploymentSteps'],
].map((name) => `${name}.raml`);

/** The contract where its RAML can be read; undefined where it is not beside this checkout. */
export function marathonContract(): Contract | undefined {
  if (SHARED === undefined) return undefined;
  const types = join(SHARED, 'contracts/marathon/raml-1.11/v2/types');
  const read = (path: string) => readFileSync(join(OURS.includes(path) ? import.meta.dirname : types, path), 'utf8');
  return new Contract(schemasOf([...OURS, ...THEIRS], read));
}
