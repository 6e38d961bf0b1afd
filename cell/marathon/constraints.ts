import { HttpError } from './http-error.ts';

/**
 * Placement constraints `[field, operator]` or `[field, operator, value]`, by the rules of Marathon up to 1.10. (The
 * rules of `GROUP_BY` in 1.11 are other ones, and fail on a division by zero without a value.)
 */

const OPERATORS = ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'MAX_PER', 'UNLIKE', 'IS'];

/** Mesos text and float values. */
const IS_VALUE = /^([a-zA-Z0-9_/.-]*|-?\d+(\.\d+)?)$/;

/** Where an instance is, or where an offer comes from: field names with their values as text. */
export type Placement = Readonly<Record<string, string>>;

/** What is wrong with a constraint, in Marathon's words; undefined when it is well formed. */
export function constraintProblem(constraint: readonly string[]): string | undefined {
  if (constraint.length < 2 || constraint.length > 3) return 'Each constraint must have either 2 or 3 fields';
  const [, operator = '', value] = constraint;
  if (!OPERATORS.includes(operator)) {
    if (OPERATORS.includes(operator.toUpperCase())) {
      // Marathon answers 500 here, which is a fault of its own.
      throw new HttpError(422, { message: `illegal constraint specification ${constraint.join(',')}` });
    }
    return 'operator must be one of the following UNIQUE, CLUSTER, GROUP_BY, LIKE, MAX_PER, UNLIKE or IS';
  }
  switch (operator) {
    case 'UNIQUE':
      return value === undefined ? undefined : 'UNIQUE does not accept a value';
    case 'MAX_PER':
      return isInteger(value) ? undefined : 'MAX_PER requires an integer value';
    case 'GROUP_BY':
      return value === undefined || value === 'inf' || isInteger(value)
        ? undefined
        : 'GROUP BY must define an integer value or else no value at all';
    case 'LIKE':
    case 'UNLIKE':
      if (!value) return 'LIKE and UNLIKE require a non-empty, regular expression value';
      return wholeMatch(value) ? undefined : 'is not a valid regular expression';
    case 'IS':
      return value === undefined || IS_VALUE.test(value)
        ? undefined
        : 'IS only supports Mesos text and float values (see http://mesos.apache.org/documentation/latest/attributes-resources/)';
    default:
      return undefined;
  }
}

/**
 * True when an offer's agent satisfies a constraint, given where the app's other instances are. An agent that lacks
 * the field satisfies no operator but UNLIKE.
 */
export function satisfies(constraint: readonly string[], agent: Placement, placed: readonly Placement[]): boolean {
  const [name = '', operator, value] = constraint;
  const field = fieldName(name);
  const offered = agent[field];
  if (offered === undefined) return operator === 'UNLIKE';
  const others = placed.flatMap((placement) => placement[field] ?? []);
  switch (operator) {
    case 'UNIQUE':
      return !others.includes(offered);
    case 'CLUSTER':
      return offered === (value || (others[0] ?? offered));
    case 'MAX_PER':
      return count(others, offered) < Number(value);
    case 'LIKE':
      return wholeMatch(value ?? '')?.test(offered) ?? false;
    case 'UNLIKE':
      return !(wholeMatch(value ?? '')?.test(offered) ?? false);
    case 'IS':
      return sameValue(offered, value ?? '');
    case 'GROUP_BY':
      return evensOut(offered, others, value);
    default:
      return false;
  }
}

/** `@hostname` and `hostname` are the same; `@region` and `@zone` are kept with the at sign. */
export function fieldName(name: string): string {
  return name === '@hostname' ? 'hostname' : name;
}

/** A new group is always welcome; else only once there are enough groups, and into the smallest. */
function evensOut(offered: string, others: readonly string[], value: string | undefined): boolean {
  const groups = new Set(others);
  if (!groups.has(offered)) return true;
  const wanted = value === 'inf' ? Number.POSITIVE_INFINITY : Math.max(0, Number(value ?? 0));
  const smallest = Math.min(...[...groups].map((group) => count(others, group)));
  return groups.size >= wanted && count(others, offered) === smallest;
}

/** Numbers are equal when they are after formatting: `3.5` and `3.50`. */
function sameValue(offered: string, value: string): boolean {
  return offered === value || (value.trim() !== '' && Number(offered) === Number(value));
}

function wholeMatch(expression: string): RegExp | undefined {
  try {
    return new RegExp(`^(?:${expression})$`);
  } catch {
    // Not a regular expression: the caller reports it, or lets nothing match.
    return undefined;
  }
}

function count(values: readonly string[], value: string): number {
  return values.filter((one) => one === value).length;
}

function isInteger(value: string | undefined): boolean {
  return value !== undefined && /^-?\d+$/.test(value);
}
