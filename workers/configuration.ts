/** Reads `slipway.config.yaml`: the file, its secrets, every error at once; and shows it without its secrets. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { InputError } from '../domain/failures.ts';
import {
  type Configuration,
  type ConfigurationWith,
  parseConfiguration,
  type SecretReference,
} from '../domain/schemas/config.ts';
import { isSigningSecret } from '../domain/standard-webhooks.ts';

export const DEFAULT_CONFIGURATION_PATH = 'slipway.config.yaml';

/** The configuration can't be used; `errors` holds every reason, the message the same as readable text. */
export class ConfigurationError extends Error {
  readonly path: string;
  readonly errors: readonly InputError[];

  constructor(path: string, errors: readonly InputError[]) {
    const count = errors.length === 1 ? '1 error' : `${errors.length} errors`;
    const lines = errors.map((error) => `  ${error.path === '' ? '' : `${error.path} `}${error.message}`);
    super([`${path} has ${count}:`, ...lines].join('\n'));
    this.name = 'ConfigurationError';
    this.path = path;
    this.errors = errors;
  }
}

/**
 * Reads and checks the configuration, secrets included. Throws `ConfigurationError` with everything that is wrong.
 *
 * @param path absent: what `SLIPWAY_CONFIG` names, else `slipway.config.yaml` in the working directory.
 * @param env where `{ env: NAME }` is looked up. A `{ file: PATH }` is relative to the configuration's directory.
 */
export function loadConfiguration(path?: string, env: NodeJS.ProcessEnv = process.env): Configuration {
  const file = path ?? (env['SLIPWAY_CONFIG'] || DEFAULT_CONFIGURATION_PATH);
  const document = readYaml(file);
  const parsed = parseConfiguration(document);
  const secrets = readSecrets(document, dirname(file), env);
  const errors = [...(parsed.errors ?? []), ...secrets.errors];
  if (parsed.configuration === undefined || errors.length > 0) throw new ConfigurationError(file, errors);
  return mapSecrets(parsed.configuration, (_, at) => {
    const value = secrets.values.get(at);
    if (value === undefined) throw new Error(`the secret ${at} was checked but not read`);
    return value;
  });
}

/** What stands in place of a secret on a screen. */
export const MASK = '********';

/**
 * The configuration as it may be shown: no secret, no password inside an address, and of a chat address only the
 * host, since many chat systems put their key into the path.
 */
export function maskConfiguration(configuration: Configuration): Configuration {
  const masked = mapSecrets(configuration, () => MASK);
  const services = Object.entries(masked.services).map(([name, service]) => [
    name,
    { ...service, repository: maskPassword(service.repository) },
  ]);
  const outbound = masked.chat.outbound.map((target) => ({ ...target, url: `${new URL(target.url).origin}/${MASK}` }));
  return { ...masked, services: Object.fromEntries(services), chat: { ...masked.chat, outbound } };
}

function maskPassword(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, `$1${MASK}@`);
}

function readYaml(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigurationError(file, [
      {
        path: '',
        message: `can't be read (${reason}): copy slipway.config.example.yaml, or name yours in SLIPWAY_CONFIG`,
      },
    ]);
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) {
    throw new ConfigurationError(
      file,
      document.errors.map((error) => ({ path: '', message: `is not YAML: ${error.message.trimEnd()}` })),
    );
  }
  return document.toJS();
}

interface Secrets {
  /** By path, such as `api.tokens.0.token`. */
  readonly values: ReadonlyMap<string, string>;
  readonly errors: readonly InputError[];
}

/** Reads every reference in the document, also of one whose shape is wrong, so that all errors show together. */
function readSecrets(document: unknown, directory: string, env: NodeJS.ProcessEnv): Secrets {
  const values = new Map<string, string>();
  const errors: InputError[] = [];
  for (const { path, reference } of findReferences(document, [])) {
    const read = readSecret(reference, directory, env);
    const problem = read.problem ?? secretProblem(path, read.value);
    if (problem !== undefined) errors.push({ path, message: problem });
    else values.set(path, read.value ?? '');
  }
  const tokens = [...values].filter(([path]) => /^api\.tokens\.\d+\.token$/.test(path));
  for (const [index, [path, token]] of tokens.entries()) {
    const other = tokens.findIndex(([, value]) => value === token);
    if (other < index) {
      errors.push({ path, message: `is the same secret as ${tokens[other]?.[0]}: nobody could tell who acted` });
    }
  }
  return { values, errors };
}

function readSecret(
  reference: SecretReference,
  directory: string,
  env: NodeJS.ProcessEnv,
): { readonly value?: string; readonly problem?: string } {
  if ('env' in reference) {
    const value = env[reference.env];
    return value ? { value } : { problem: `has no value: set the environment variable ${reference.env}` };
  }
  const file = resolve(directory, reference.file);
  try {
    const value = readFileSync(file, 'utf8').trim();
    return value ? { value } : { problem: `has no value: ${file} is empty` };
  } catch (error) {
    return { problem: `can't be read: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** What is named `...secret` signs webhooks, and the specification fixes its form; a token is any text. */
function secretProblem(path: string, value: string | undefined): string | undefined {
  if (value === undefined || !/secret$/i.test(path) || isSigningSecret(value)) return undefined;
  return 'is not a signing secret: it is whsec_ and base64 of 24 to 64 bytes; make one with: echo whsec_$(openssl rand -base64 32)';
}

function* findReferences(
  value: unknown,
  path: readonly string[],
): Generator<{ readonly path: string; readonly reference: SecretReference }> {
  if (typeof value !== 'object' || value === null) return;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only !== undefined && typeof only[1] === 'string') {
    if (only[0] === 'env') return yield { path: path.join('.'), reference: { env: only[1] } };
    if (only[0] === 'file') return yield { path: path.join('.'), reference: { file: only[1] } };
  }
  for (const [key, item] of entries) yield* findReferences(item, [...path, key]);
}

/** Puts something else where each secret stands; the one list of the places that hold one. */
function mapSecrets<From, To>(
  configuration: ConfigurationWith<From>,
  replace: (secret: From, path: string) => To,
): ConfigurationWith<To> {
  const { consul, ledger, api, gitlab, chat, ...open } = configuration;
  return {
    ...open,
    consul: { url: consul.url, dns: consul.dns, ...replaceKeys(consul, ['token'], 'consul', replace) },
    ledger: {
      ...(ledger.directory === undefined ? {} : { directory: ledger.directory }),
      ...replaceKeys(ledger, ['url'], 'ledger', replace),
    },
    api: {
      ...api,
      tokens: api.tokens.map(({ name, token }, index) => ({
        name,
        token: replace(token, `api.tokens.${index}.token`),
      })),
    },
    ...(gitlab === undefined
      ? {}
      : {
          gitlab: replaceKeys(gitlab, ['token', 'signingSecret', 'previousSigningSecret'], 'gitlab', replace),
        }),
    chat: {
      ...(chat.inbound === undefined
        ? {}
        : {
            inbound: {
              secret: replace(chat.inbound.secret, 'chat.inbound.secret'),
              ...replaceKeys(chat.inbound, ['previousSecret'], 'chat.inbound', replace),
            },
          }),
      outbound: chat.outbound.map(({ url, secret }, index) => ({
        url,
        secret: replace(secret, `chat.outbound.${index}.secret`),
      })),
    },
  };
}

/** Those of the optional secrets that are there, replaced. */
function replaceKeys<From, To, Key extends string>(
  section: { readonly [K in Key]?: From },
  keys: readonly Key[],
  path: string,
  replace: (secret: From, path: string) => To,
): { [K in Key]?: To } {
  const replaced: { [K in Key]?: To } = {};
  for (const key of keys) {
    const secret = section[key];
    if (secret !== undefined) replaced[key] = replace(secret, `${path}.${key}`);
  }
  return replaced;
}
