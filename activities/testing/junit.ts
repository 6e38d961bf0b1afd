/** Reads JUnit XML, as the testing tools of most languages write it. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { z } from 'zod';

/** What one test said. */
export interface TestCase {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly seconds?: number;
  /** Why it failed, at most 1,000 characters. */
  readonly message?: string;
}

export interface TestReport {
  readonly tests: number;
  /** Failures and errors together. */
  readonly failures: number;
  readonly skipped: number;
  /** Failed ones first, at most 200; more are counted, not told. */
  readonly cases: readonly TestCase[];
}

const MAX_CASES = 200;
const MAX_MESSAGE = 1_000;

const text = z.union([z.string(), z.number()]).transform(String);
const outcome = z.union([text, z.looseObject({ message: text.optional(), '#text': text.optional() })]);
const caseSchema = z.looseObject({
  name: text.optional(),
  classname: text.optional(),
  time: z.coerce.number().optional().catch(undefined),
  failure: z.array(outcome).optional(),
  error: z.array(outcome).optional(),
  skipped: z.array(outcome).optional(),
});
type Suite = { testsuite?: Suite[] | undefined; testcase?: z.infer<typeof caseSchema>[] | undefined };
const suiteSchema: z.ZodType<Suite> = z.looseObject({
  get testsuite() {
    return z.array(z.union([suiteSchema, z.literal('').transform(() => ({}))])).optional();
  },
  testcase: z.array(caseSchema).optional(),
});

const LISTS = new Set(['testsuite', 'testcase', 'failure', 'error', 'skipped']);
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  parseTagValue: false,
  isArray: (name) => LISTS.has(name),
});

/** Counts the test cases themselves; the totals in the attributes of the suites are not believed. */
export function readJunit(xml: string): TestReport | { readonly problem: string } {
  const valid = XMLValidator.validate(xml);
  if (valid !== true) return { problem: `it is no XML: ${valid.err.msg} in line ${valid.err.line}` };
  const document: unknown = parser.parse(xml);
  const root = z.looseObject({ testsuites: z.unknown().optional() }).safeParse(document).data;
  const parsed = suiteSchema.safeParse(root?.testsuites === '' ? {} : (root?.testsuites ?? document));
  if (!parsed.success || (root?.testsuites === undefined && parsed.data.testsuite === undefined)) {
    return { problem: 'it has neither testsuites nor testsuite at its top' };
  }
  const cases = allCases(parsed.data).map(readCase);
  const of = (wanted: TestCase['outcome']) => cases.filter(({ outcome }) => outcome === wanted);
  return {
    tests: cases.length,
    failures: of('failed').length,
    skipped: of('skipped').length,
    cases: [...of('failed'), ...of('skipped'), ...of('passed')].slice(0, MAX_CASES),
  };
}

function allCases(suite: Suite): z.infer<typeof caseSchema>[] {
  return [...(suite.testcase ?? []), ...(suite.testsuite ?? []).flatMap(allCases)];
}

function readCase(one: z.infer<typeof caseSchema>): TestCase {
  const failed = one.failure?.[0] ?? one.error?.[0];
  const name = one.name ?? one.classname ?? '(no name)';
  const seconds = one.time === undefined || Number.isNaN(one.time) ? {} : { seconds: one.time };
  if (failed !== undefined) {
    const said = typeof failed === 'string' ? failed : [failed.message, failed['#text']].filter(Boolean).join('\n');
    return { name, outcome: 'failed', ...seconds, message: said.slice(0, MAX_MESSAGE) };
  }
  return { name, outcome: one.skipped === undefined ? 'passed' : 'skipped', ...seconds };
}
