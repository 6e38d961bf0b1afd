/** `slipway.config.yaml`: where everything is that Slipway talks to. Checked whole, so that every error shows at once. */
import { z } from 'zod';
import type { WhenBusy } from '../admission.ts';
import type { Groups } from '../approval.ts';
import type { EnvironmentTier } from '../environment.ts';
import type { InputError } from '../failures.ts';
import { isTimeZone, WEEKDAYS, type WindowTimes } from '../window.ts';
import { crossErrors } from './config-rules.ts';

/** Where a secret is kept; the file itself never holds one. */
export type SecretReference = { readonly env: string } | { readonly file: string };

/** The configuration with every secret read; what the processes of Slipway work with. */
export type Configuration = ConfigurationWith<string>;

/** The configuration as the file says it, its secrets by reference. */
export type ConfigurationFile = ConfigurationWith<SecretReference>;

/** The configuration, whatever stands where a secret belongs: a reference, the secret or a mask. */
export interface ConfigurationWith<Secret> {
  readonly temporal: TemporalConfiguration;
  readonly consul: ConsulConfiguration<Secret>;
  readonly registry: RegistryConfiguration;
  readonly ledger: LedgerConfiguration<Secret>;
  readonly influx: { readonly url: string; readonly database: string };
  readonly mesos: { readonly master: string };
  /** By name. */
  readonly balancers: Readonly<Record<string, BalancerConfiguration>>;
  /** By name, such as `fat`. */
  readonly environments: Readonly<Record<string, EnvironmentConfiguration>>;
  readonly builder: BuilderConfiguration;
  /** Who belongs to each group of people, by its name. */
  readonly groups: Groups;
  /** By name. */
  readonly services: Readonly<Record<string, ServiceConfiguration>>;
  readonly api: ApiConfiguration<Secret>;
  /** Absent when GitLab does not start releases. */
  readonly gitlab?: GitlabConfiguration<Secret>;
  readonly chat: ChatConfiguration<Secret>;
  readonly schedules: SchedulesConfiguration;
}

export interface TemporalConfiguration {
  /** `host:port` of the frontend. */
  readonly address: string;
  readonly namespace: string;
  /** Address of its web page, for links. */
  readonly ui?: string;
  /** Worker deployment whose versions the orchestrators are; absent for unversioned ones. */
  readonly deployment?: string;
}

export interface ConsulConfiguration<Secret = string> {
  readonly url: string;
  /** `host:port` of its DNS. */
  readonly dns: string;
  readonly token?: Secret;
}

/** One of the two. */
export interface LedgerConfiguration<Secret = string> {
  /** Database on a PostgreSQL server: `postgres://user:password@host:port/database`. */
  readonly url?: Secret;
  /** Directory of an embedded PostgreSQL, for one orchestrator alone. */
  readonly directory?: string;
}

export interface RegistryConfiguration {
  /** `host:port` under which images are named, pushed and pulled. */
  readonly address: string;
  /** `host:port` of each replica behind that address; every one is verified. */
  readonly replicas: readonly string[];
  /** Machine whose node worker (task queue `host.<host>`) runs the maintenance commands. */
  readonly host: string;
  /** Directory of its storage on that machine, by which the bytes that a collection wins are measured. */
  readonly storage?: string;
  readonly maintenance: RegistryMaintenance;
}

/** Commands (program and arguments, no shell) that prepare, run and end the registry's own garbage collection. */
export interface RegistryMaintenance {
  readonly readOnly: readonly string[];
  readonly collect: readonly string[];
  readonly readWrite: readonly string[];
}

export interface BalancerConfiguration {
  /** `host:port` of the runtime API of each of its processes. */
  readonly runtime: readonly string[];
}

export interface EnvironmentConfiguration {
  readonly tier: EnvironmentTier;
  readonly marathon: { readonly url: string };
  /** Mesos agent attribute, `<name>:<value>`, of the machines of this environment. */
  readonly agentAttribute: string;
  readonly balancer: {
    /** A key of `balancers`. */
    readonly name: string;
    /** Address that the environment's DNS names point to. */
    readonly address: string;
    readonly port: number;
  };
  /** A key of `groups`: only its members may release here. Absent for everybody with a token. */
  readonly releasers?: string;
  /** When releases of any service may move forward here, within what its manifest says. Absent for always. */
  readonly windows?: readonly WindowTimes[];
}

export interface BuilderConfiguration {
  /** Mesos agent attribute, `<name>:<value>`, of the machines that may build. */
  readonly attribute: string;
  /** Program and arguments of the builder process. */
  readonly command: readonly string[];
  /** Path of the Docker engine's socket on those machines. */
  readonly docker: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Longest time from the order to a builder that takes work. */
  readonly startSeconds: number;
}

export interface ServiceConfiguration {
  /** Anything `git clone` takes. */
  readonly repository: string;
  /** Pushes to this branch start a release. */
  readonly branch: string;
}

export interface ApiConfiguration<Secret = string> {
  /** `host:port` to listen on. */
  readonly listen: string;
  /** Address at which people and chat reach it, for links. */
  readonly url: string;
  /** The name is who acted, in approvals and records. */
  readonly tokens: readonly { readonly name: string; readonly token: Secret }[];
}

export interface GitlabConfiguration<Secret = string> {
  /** Compared with the header `X-Gitlab-Token`. */
  readonly token?: Secret;
  /** Standard Webhooks signing secret, `whsec_` and base64. */
  readonly signingSecret?: Secret;
  /** The signing secret before, while it is being replaced. */
  readonly previousSigningSecret?: Secret;
  /** What a push does while another release holds a lane; `wait` when absent. */
  readonly whenBusy?: WhenBusy;
}

export interface ChatConfiguration<Secret = string> {
  /** Absent when chat may not command. */
  readonly inbound?: {
    /** Standard Webhooks signing secret, `whsec_` and base64. */
    readonly secret: Secret;
    /** The secret before, while it is being replaced. */
    readonly previousSecret?: Secret;
  };
  /** Who is told of releases. */
  readonly outbound: readonly { readonly url: string; readonly secret: Secret }[];
}

export interface SchedulesConfiguration {
  readonly autoscale: { readonly everySeconds: number; readonly windowSeconds: number };
  readonly collectGarbage: {
    readonly everySeconds: number;
    /** What was pushed later than so many seconds ago stays in any case. */
    readonly graceSeconds: number;
  };
}

/** Text of an issue: what is wrong, then what to write. */
const say = (whatToWrite: string) => ({
  error: (issue: { readonly input?: unknown }) =>
    `${issue.input === undefined ? 'is missing' : 'is not valid'}: write ${whatToWrite}`,
});

/** An object whose unknown keys are errors that name the known ones. */
const section = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `is not a setting here: use one of ${Object.keys(shape).join(', ')}`
        : `${issue.input === undefined ? 'is missing' : 'is not valid'}: write a section with ${Object.keys(shape).join(', ')}`,
  });

const text = (whatToWrite: string, pattern: RegExp = /\S/) =>
  z.string(say(whatToWrite)).regex(pattern, say(whatToWrite));

const url = (example: string) => {
  const told = say(`an http or https URL, such as ${example}`);
  return z.url({ protocol: /^https?$/, ...told });
};

const address = (example: string) => {
  const whatToWrite = `host:port, such as ${example}`;
  return z.string(say(whatToWrite)).refine(isHostAndPort, say(whatToWrite));
};

const positive = (what: string) => z.number(say(what)).positive(say(what));
const wholePositive = (what: string) => z.int(say(what)).positive(say(what));

const command = text('a program or an argument');
const commandLine = z
  .array(command, say('a list: the program, then its arguments'))
  .min(1, say('a list: the program, then its arguments'));

const secretReference: z.ZodType<SecretReference> = z.union(
  [z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: z.string().min(1) })],
  say('{ env: NAME } or { file: PATH }; the secret itself does not belong in this file'),
);

const DNS_LABEL = /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
const named = <Value extends z.ZodType>(value: Value, what: string) =>
  z.record(
    z.string().regex(DNS_LABEL, {
      error: 'is not a valid name: write lower-case letters, digits and inner hyphens, beginning with a letter',
    }),
    value,
    say(what),
  );
const agentAttribute = text("an agent attribute, such as 'env:fat'", /^[^:\s]+:[^:\s]+$/);

const windowTimes: z.ZodType<WindowTimes> = section({
  days: z
    .array(z.enum(WEEKDAYS, say(`one of ${WEEKDAYS.join(', ')}`)), say('a list of days, such as [mon, tue]'))
    .min(1, say('at least one day'))
    .default([...WEEKDAYS]),
  from: text('a time such as 09:00, in quotes', /^([01][0-9]|2[0-3]):[0-5][0-9]$/),
  to: text('a time such as 17:00, or 24:00, in quotes', /^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/),
  zone: z
    .string(say('a time zone, such as Asia/Shanghai or UTC'))
    .refine(isTimeZone, say('a time zone, such as Asia/Shanghai or UTC')),
});

const configurationSchema: z.ZodType<ConfigurationFile> = section({
  temporal: section({
    address: address('127.0.0.1:7233'),
    namespace: text('a Temporal namespace, such as default').default('default'),
    ui: url('http://127.0.0.1:8233').exactOptional(),
    deployment: text('the name of a worker deployment, such as slipway').exactOptional(),
  }),
  consul: section({
    url: url('http://127.0.0.1:8500'),
    dns: address('127.0.0.1:8600'),
    token: secretReference.exactOptional(),
  }),
  registry: section({
    address: address('127.0.0.1:5000'),
    replicas: z
      .array(address('127.0.0.1:5000'), say('a list of host:port, one for each replica'))
      .min(1, say('at least one replica, as host:port')),
    host: text('the name of the machine whose node worker runs the maintenance commands'),
    storage: text('the directory of its storage on that machine').exactOptional(),
    maintenance: section({ readOnly: commandLine, collect: commandLine, readWrite: commandLine }),
  }),
  ledger: section({
    url: secretReference.exactOptional(),
    directory: text('a directory that the orchestrator may write to').exactOptional(),
  }),
  influx: section({ url: url('http://127.0.0.1:8086'), database: text('the name of a database, such as slipway') }),
  mesos: section({ master: url('http://127.0.0.1:5050') }),
  balancers: named(
    section({
      runtime: z
        .array(address('127.0.0.1:9999'), say('a list of host:port, one for each process of the balancer'))
        .min(1, say('at least one host:port of a runtime API')),
    }),
    'at least one balancer by its name',
  ),
  environments: named(
    section({
      tier: z.enum(['integration', 'production'], say('integration or production')),
      marathon: section({ url: url('http://127.0.0.1:8080') }),
      agentAttribute,
      balancer: section({
        name: text('the name of one of the balancers'),
        address: text('the address that the DNS names of the environment point to'),
        port: z.int(say('a port, 1 to 65535')).min(1, say('a port, 1 to 65535')).max(65_535, say('a port, 1 to 65535')),
      }),
      releasers: text('the name of one of the groups').exactOptional(),
      windows: z.array(windowTimes, say('a list of { days, from, to, zone }')).exactOptional(),
    }),
    'at least one environment by its name',
  ),
  builder: section({
    attribute: agentAttribute,
    command: commandLine,
    docker: text("the path of the Docker engine's socket, such as /var/run/docker.sock", /^\//),
    cpus: positive('a number of CPUs above 0'),
    memoryMiB: wholePositive('a whole number of MiB above 0'),
    startSeconds: wholePositive('a whole number of seconds above 0'),
  }),
  groups: named(
    z
      .array(text('the name of a person, as in api.tokens or in chat'), say('a list of names of people'))
      .min(1, say('at least one name')),
    'the groups of people by their names',
  ).default({}),
  services: named(
    section({
      repository: text('what `git clone` takes, such as https://git.example/team/sample.git'),
      branch: text('a branch, such as main').default('main'),
    }),
    'the services by their names; {} when there is none yet',
  ),
  api: section({
    listen: address('127.0.0.1:8090'),
    url: url('http://127.0.0.1:8090'),
    tokens: z
      .array(
        section({ name: text('the name of who holds the token'), token: secretReference }),
        say('a list of { name, token }'),
      )
      .min(1, say('at least one { name, token }: nobody could use the API')),
  }),
  gitlab: section({
    token: secretReference.exactOptional(),
    signingSecret: secretReference.exactOptional(),
    previousSigningSecret: secretReference.exactOptional(),
    whenBusy: z.enum(['wait', 'refuse', 'supersede']).exactOptional(),
  }).exactOptional(),
  chat: section({
    inbound: section({ secret: secretReference, previousSecret: secretReference.exactOptional() }).exactOptional(),
    outbound: z
      .array(
        section({ url: url('https://chat.example/hook'), secret: secretReference }),
        say('a list of { url, secret }; [] for none'),
      )
      .default([]),
  }).default({ outbound: [] }),
  schedules: section({
    autoscale: section({
      everySeconds: wholePositive('a whole number of seconds above 0'),
      windowSeconds: wholePositive('a whole number of seconds above 0'),
    }),
    collectGarbage: section({
      everySeconds: wholePositive('a whole number of seconds above 0'),
      graceSeconds: wholePositive('a whole number of seconds above 0').default(3600),
    }),
  }),
});

export type ParsedConfiguration =
  | { readonly configuration: ConfigurationFile; readonly errors?: never }
  | { readonly configuration?: never; readonly errors: readonly InputError[] };

/** Checks a parsed document: every error of shape and between sections at once, in the order of the schema. */
export function parseConfiguration(document: unknown): ParsedConfiguration {
  const parsed = configurationSchema.safeParse(document);
  const errors = [...(parsed.success ? [] : parsed.error.issues.flatMap(inputErrors)), ...crossErrors(document)];
  if (errors.length > 0) return { errors };
  if (parsed.data === undefined) throw new Error('a configuration that does not parse must have errors');
  return { configuration: parsed.data };
}

function inputErrors(issue: z.core.$ZodIssue): InputError[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: issue.message }));
  }
  if (issue.code === 'invalid_key') {
    return [{ path: path.join('.'), message: issue.issues[0]?.message ?? issue.message }];
  }
  return [{ path: path.join('.'), message: issue.message }];
}

function isHostAndPort(value: string): boolean {
  const match = /^(?:\[[0-9a-fA-F:.]+\]|[^\s:/]+):([0-9]{1,5})$/.exec(value);
  const port = Number(match?.[1]);
  return port >= 1 && port <= 65_535;
}
