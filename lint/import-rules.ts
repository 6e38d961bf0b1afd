/**
 * Which room may import which, as dependency-cruiser rules. Two graphs are judged:
 *
 * - the written one: every import in the sources, `import type` too. It says which rooms know of each other.
 * - the one at run time: what is left when Node has stripped the types. It says what is really loaded, so here
 *   "activity types only" and "no zod in a workflow" are rules on everything a file reaches, however far.
 */
import { builtinModules } from 'node:module';
import type { IFlattenedRuleSet, IForbiddenRuleType } from 'dependency-cruiser';

/** The folders whose sources are judged. A new room at the top of the repository is added here. */
export const ROOMS = [
  'activities',
  'api',
  'bench',
  'bin',
  'cell',
  'cli',
  'console',
  'deploy',
  'domain',
  'lint',
  'local',
  'test',
  'workers',
  'workflows',
] as const;

/** What is not ours to judge: the sample service is a repository of its own. */
export const EXCLUDED = '^(local/sample/service|\\.slipway|bench/results)/';

const TEST_FILE = '\\.test\\.ts$';
const DOMAIN_DECISIONS = '^domain/(?!schemas/)';
const WORKFLOW_SDK = '^node_modules/@temporalio/(workflow|common)/';
const PACKAGES = '^node_modules/';
/** Pure JavaScript, no I/O: may run in a workflow. */
const PURE_PACKAGES = '^node_modules/@noble/hashes/';
/** Node's own modules; dependency-cruiser names them without `node:`. */
const NODE_MODULES = `^(node:)?(${builtinModules.join('|')})$`;

/** Sources under these folders, tests apart, import nothing but these paths. */
function only(name: string, from: string, to: readonly string[], comment: string): IForbiddenRuleType {
  return {
    name,
    comment,
    severity: 'error',
    from: { path: from, pathNot: TEST_FILE },
    to: { pathNot: [...to] },
  };
}

const written: IForbiddenRuleType[] = [
  only(
    'domain-is-pure',
    DOMAIN_DECISIONS,
    [DOMAIN_DECISIONS, PURE_PACKAGES],
    'domain/ imports nothing but domain/ and pure packages, and no schema.',
  ),
  only(
    'schemas-parse-domain',
    '^domain/schemas/',
    ['^domain/', `${PACKAGES}(zod|yaml)/`],
    'domain/schemas/ imports domain/, zod and yaml.',
  ),
  only(
    'workflows-know-domain',
    '^workflows/(?!contract\\.ts$)',
    ['^workflows/', DOMAIN_DECISIONS, '^activities/', WORKFLOW_SDK],
    'Workflows import the Temporal SDK, domain/ decisions, and (types only) activities.',
  ),
  only(
    'contract-knows-domain',
    '^workflows/contract\\.ts$',
    [DOMAIN_DECISIONS, WORKFLOW_SDK],
    'The contract is safe to import from anywhere, so it reaches nothing but domain/ and the SDK.',
  ),
  only(
    'activities-know-domain',
    '^activities/(?!(lane|temporal)/)',
    ['^activities/', '^domain/', PACKAGES, NODE_MODULES],
    'Activities import domain/ and what they talk to the world with.',
  ),
  only(
    'activities-on-temporal-know-the-contract',
    '^activities/(lane|temporal)/',
    ['^activities/', '^domain/', '^workflows/contract\\.ts$', PACKAGES, NODE_MODULES],
    'The world of these is Temporal itself: they speak to workflows by their contract, as the API does.',
  ),
  {
    name: 'activities-meet-at-clients',
    comment:
      'The activities of one system use another one through its client.ts (or types.ts), and Mesos to run a task, alone.',
    severity: 'error',
    from: { path: '^activities/([^/]+)/', pathNot: TEST_FILE },
    to: {
      path: '^activities/[^/]+/',
      pathNot: ['^activities/$1/', '^activities/[^/]+/(client|types)\\.ts$', '^activities/mesos/run-task\\.ts$'],
    },
  },
  only(
    'api-knows-contract',
    '^api/',
    ['^api/', '^workflows/contract\\.ts$', '^domain/', PACKAGES, NODE_MODULES],
    'The API starts and asks workflows by their contract.',
  ),
  only(
    'cli-talks-to-api',
    '^cli/',
    ['^cli/', '^workflows/contract\\.ts$', '^domain/', PACKAGES, NODE_MODULES],
    'The command line talks to the API over HTTP; it shares words and schemas with it, nothing else.',
  ),
  only(
    'console-talks-to-api',
    '^console/',
    ['^console/', '^workflows/contract\\.ts$', '^domain/', PACKAGES],
    'The console talks to the API over HTTP, from a browser.',
  ),
  only(
    'cell-stands-alone',
    '^cell/',
    ['^cell/', '^domain/', '^activities/mesos/', PACKAGES, NODE_MODULES],
    'The cell imitates Mesos and Marathon: it shares their wire formats with the clients, not the rest of Slipway.',
  ),
  {
    name: 'nobody-imports-what-composes',
    comment: 'workers/, local/, bin/, bench/, lint/ and tests compose the rest; the rest does not know of them.',
    severity: 'error',
    from: { pathNot: ['^(workers|local|bin|bench|test|lint)/', TEST_FILE] },
    to: { path: ['^(workers|local|bin|bench|test|lint)/', TEST_FILE] },
  },
  {
    name: 'no-cycle',
    comment: 'Two files that need each other are one subject, or hide a third one.',
    severity: 'error',
    from: {},
    to: { circular: true },
  },
  {
    name: 'no-catch-all-name',
    comment: 'A file is named for its one subject; utils, helpers, common and manager name none.',
    severity: 'error',
    from: { path: '(^|[/.-])(utils|util|helpers|helper|common|managers|manager)([/.-]|$)', pathNot: PACKAGES },
    to: {},
  },
  {
    name: 'no-import-of-catch-all-name',
    comment: 'A file is named for its one subject; utils, helpers, common and manager name none.',
    severity: 'error',
    from: {},
    to: {
      path: '(^|[/.-])(utils|util|helpers|helper|common|managers|manager)([/.-]|$)',
      pathNot: PACKAGES,
      dependencyTypes: ['local'],
    },
  },
  {
    name: 'no-missing-file',
    comment: 'Every import leads to a file.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-unlisted-package',
    comment: 'What is imported is named in package.json with its exact version.',
    severity: 'error',
    from: {},
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
];

const atRunTime: IForbiddenRuleType[] = [
  {
    name: 'workflows-load-no-activity',
    comment: 'A workflow imports the type of an activity, never its code: write `import type`.',
    severity: 'error',
    from: { path: '^workflows/', pathNot: TEST_FILE },
    to: { path: '^activities/', reachable: true },
  },
  {
    name: 'workflows-load-no-schema',
    comment: 'One zod schema in a workflow module doubles the CPU of a start and triples the memory of a cached run.',
    severity: 'error',
    from: { path: '^workflows/', pathNot: TEST_FILE },
    to: { path: ['^domain/schemas/', `${PACKAGES}(zod|yaml)/`], reachable: true },
  },
  {
    name: 'workflows-load-no-node-module',
    comment: 'A workflow replays: it has no file system, clock or network of its own.',
    severity: 'error',
    from: { path: '^workflows/', pathNot: TEST_FILE },
    to: { path: NODE_MODULES, reachable: true },
  },
  {
    name: 'production-loads-no-dev-package',
    comment: 'An image is installed without devDependencies.',
    severity: 'error',
    from: { path: '^(activities|api|cell|cli|domain|workers|workflows)/', pathNot: TEST_FILE },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['npm'] },
  },
];

/** Rules on all imports as written. */
export const WRITTEN: IFlattenedRuleSet = { forbidden: written };

/** Rules on the imports that are left when types are stripped. */
export const AT_RUN_TIME: IFlattenedRuleSet = { forbidden: atRunTime };
