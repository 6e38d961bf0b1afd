import { OriginalFault } from './http-error.ts';

/**
 * Placement constraints `[field, operator]` or `[field, operator, value]`,. `GROUP_BY` has two rules, one up to 1.10
 * and one of 1.11, which fails on a division by zero without a value.
 */

const OPERATORS = ['UNIQUE', 'CLUSTER', 'GROUP_BY', 'LIKE', 'MAX_PER', 'UNLIKE', 'IS'];

/** Mesos text and float values. */
const IS_VALUE = /^([a-zA-Z0-9_/.-]*|-?\d+(\.\d+)?)$/;
/** Values of `IS` that are numbers, which are compared as agents' numbers are written. */
const SCALAR = /^\d+(\.\d+)?$/;

/** Where an instance is, or where an offer comes from: field names with their values as text. */
export type Placement = Readonly<Record<string, string>>;

/** What is wrong with a constraint, in Marathon's words; undefined when it is well formed. */
export function constraintProblem(constraint: readonly string[]): string | undefined {
  if (constraint.length < 2 || constraint.length > 3) return 'Each constraint must have either 2 or 3 fields';
  const [, operator = '', value] = constraint;
  if (!OPERATORS.includes(operator)) {
    if (OPERATORS.includes(operator.toUpperCase())) {
      throw new OriginalFault(`illegal constraint specification ${constraint.join(',')}`);
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
 *
 * @param quota how many instances the app shall have, for the rule of `GROUP_BY` in 1.11; without it the rule of 1.10
 */
export function satisfies(
  constraint: readonly string[],
  agent: Placement,
  placed: readonly Placement[],
  quota?: { readonly instances: number },
): boolean {
  const [name = '', operator, value] = constraint;
  const field = fieldName(name);
  const offered = agent[field];
  if (offered === undefined) return operator === 'UNLIKE';
  // One that is placed where the field is missing is a value, and a group, of its own.
  const others = placed.map((placement) => placement[field]);
  switch (operator) {
    case 'UNIQUE':
      return !others.includes(offered);
    case 'CLUSTER':
      return offered === (value || (others.length > 0 ? others[0] : offered));
    case 'MAX_PER':
      return count(others, offered) < Number(value);
    case 'LIKE':
      return wholeMatch(value ?? '')?.test(offered) ?? false;
    case 'UNLIKE':
      return !(wholeMatch(value ?? '')?.test(offered) ?? false);
    case 'IS':
      return offered === (SCALAR.test(value ?? '') ? decimalText(Number(value)) : (value ?? ''));
    case 'GROUP_BY':
      return quota ? withinQuota(offered, others, quota.instances, Number(value)) : evensOut(offered, others, value);
    default:
      return false;
  }
}

/** `@hostname` and `hostname` are the same; `@region` and `@zone` are kept with the at sign. */
export function fieldName(name: string): string {
  return name === '@hostname' ? 'hostname' : name;
}

/** By the rule of 1.11: so many groups share the instances evenly, and the first ones take what is left over. */
function withinQuota(
  offered: string,
  others: readonly (string | undefined)[],
  instances: number,
  groups: number,
): boolean {
  const each = Math.floor(instances / groups);
  const mine = count(others, offered);
  if (mine < each) return true;
  const larger = [...new Set(others)].filter((group) => count(others, group) > each).length;
  return mine === each && larger < instances % groups;
}

/** A new group is always welcome; else only once there are enough groups, and into the smallest. */
function evensOut(offered: string, others: readonly (string | undefined)[], value: string | undefined): boolean {
  const groups = new Set(others);
  if (!groups.has(offered)) return true;
  const wanted = value === 'inf' ? Number.POSITIVE_INFINITY : Math.max(0, Number(value ?? 0));
  const smallest = Math.min(...[...groups].map((group) => count(others, group)));
  return groups.size >= wanted && count(others, offered) === smallest;
}

/** At most three decimals, none at the end, a tie to the even one, as Java's `0.###` writes the exact binary value. */
export function decimalText(value: number): string {
  const thousandths = value * 1000;
  const isTie = Number.isInteger(value * 16) && Math.abs(thousandths % 1) === 0.5;
  if (isTie) return String((2 * Math.round(thousandths / 2)) / 1000);
  return String(Number(value.toFixed(3)));
}

/** Java lets a whole expression begin with its flags: `(?i)prod`. */
const LEADING_FLAGS = /^\(\?([ims]+)\)/;

/**
 * Matches the whole value. Expressions that only Java knows, such as possessive quantifiers, are none here and are
 * refused with the app.
 */
function wholeMatch(expression: string): RegExp | undefined {
  const flags = LEADING_FLAGS.exec(expression);
  try {
    return new RegExp(`^(?:${expression.slice(flags?.[0].length ?? 0)})$`, flags?.[1] ?? '');
  } catch {
    // Not a regular expression: the caller reports it, or lets nothing match.
    return undefined;
  }
}

function count<T>(values: readonly T[], value: T): number {
  return values.filter((one) => one === value).length;
}

function isInteger(value: string | undefined): boolean {
  return value !== undefined && /^-?\d+$/.test(value);
}
