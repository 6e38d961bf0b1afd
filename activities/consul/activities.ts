import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { type ConfigDiff, diffConfig } from '../../domain/config-diff.ts';
import { sameBounds } from '../../domain/drift.ts';
import { configKey } from '../../domain/environment.ts';
import { FailureType } from '../../domain/failures.ts';
import type { ScaleBounds } from '../../domain/lane.ts';
import { beating } from '../beating.ts';
import { changedByHand } from '../changed-by-hand.ts';
import { ConsulClient, type ConsulOptions } from './client.ts';
import { requestInvalid } from './errors.ts';
import type { KvEntry } from './types.ts';

/** A service in an environment. */
interface Where {
  readonly environment: string;
  readonly service: string;
}

/** One published version of a service's configuration. */
export interface ConfigVersion {
  readonly version: number;
  readonly value: string;
}

/** The bounds of one service in one environment. */
export interface ServiceBounds extends Where {
  readonly bounds: ScaleBounds;
}

export type ConsulActivities = ReturnType<typeof createConsulActivities>;

const SCALE_PREFIX = 'slipway/scale/';

const ScaleBoundsSchema = z.object({
  min: z.number().int().min(0),
  max: z.number().int().min(1),
  requestsPerSecondPerInstance: z.number().positive(),
  downAfterSeconds: z.number().min(0),
});

/**
 * Activities on Consul's key-value store: versions of configuration under `cfg/<environment>/<service>/`, and scale
 * bounds under `slipway/scale/`. All idempotent with absolute targets; what was written is read back. Those that a
 * release waits for heartbeat all the time. Failures beyond those of `ConsulClient`: `NotVerified` when what is read back
 * is something else; others are named at each.
 */
export function createConsulActivities(options: ConsulOptions) {
  const consul = new ConsulClient(options);

  const readConfig = async (input: Where & { readonly version?: number }): Promise<ConfigVersion | undefined> => {
    const version = input.version ?? currentVersion(await consul.kvGet(pointerKey(input)));
    if (version === 0) return undefined;
    const stored = await consul.kvGet(versionKey(input, version));
    if (stored !== undefined) return { version, value: stored.value };
    if (input.version !== undefined) return undefined;
    throw refused(`the current version of ${nameOf(input)} is ${version}, which does not exist; point to another one`);
  };

  return {
    /**
     * Publishes a version of a service's configuration; it becomes current by `pointConfig` alone. A version never
     * changes: publishing it again with the same value does nothing, with another one fails with `SystemRefused`.
     */
    async publishConfig(input: Where & ConfigVersion): Promise<{ readonly version: number }> {
      const key = versionKey(input, input.version);
      // The answer to a write may get lost: whatever it was, what is there now decides.
      await consul.kvPut(key, input.value, { cas: 0 });
      const stored = await consul.kvGet(key);
      if (stored === undefined) throw notVerified(consul.url, key, input.value, stored);
      if (stored.value !== input.value) {
        throw refused(
          `version ${input.version} of ${nameOf(input)} exists with another value and is never changed; ` +
            'publish the next number',
        );
      }
      return { version: input.version };
    },

    /** A version of a service's configuration, the current one when none is named; undefined where there is none. */
    readConfig,

    /** Like `readConfig`, but tells only which version it is: values may be too large for a workflow's history. */
    async resolveConfig(
      input: Where & { readonly version?: number },
    ): Promise<{ readonly version: number } | undefined> {
      const found = await readConfig(input);
      return found && { version: found.version };
    },

    /**
     * How one version of a configuration differs from another, by the names of its keys: values may be secrets, and stay
     * here. `from` is 0 where none serves, and counts as empty when it is gone; `to` is 0 where none is to serve.
     *
     * @throws ApplicationFailure `ConfigMissing` when `to` is not published
     */
    async compareConfig(input: Where & { readonly from: number; readonly to: number }): Promise<ConfigDiff> {
      const { from, to } = input;
      const [before, after] = await Promise.all([
        from === 0 ? undefined : readConfig({ ...input, version: from }),
        to === 0 ? { value: '' } : readConfig({ ...input, version: to }),
      ]);
      if (after !== undefined) return { from, to, ...diffConfig(before?.value, after.value) };
      throw ApplicationFailure.create({
        type: FailureType.ConfigMissing,
        nonRetryable: true,
        message: `version ${to} of ${nameOf(input)} is not published`,
      });
    },

    /**
     * Makes a published version the current one; 0: none is. @param input.expected fail with `Drifted` when another
     * version than this (or than the wanted one) is current, so that a change under one's feet is noticed.
     */
    pointConfig(
      input: Where & { readonly version: number; readonly expected?: number },
    ): Promise<{ readonly version: number; readonly previous: number }> {
      return beating(async () => {
        const key = pointerKey(input);
        const { version, expected } = input;
        if (version > 0 && (await consul.kvGet(versionKey(input, version))) === undefined) {
          throw refused(`version ${version} of ${nameOf(input)} is not published, so it can't become current`);
        }
        const before = await consul.kvGet(key);
        const previous = currentVersion(before);
        if (previous === version) return { version, previous };
        if (expected !== undefined && previous !== expected) {
          throw changedByHand(`the current config version of ${nameOf(input)}`, `${expected}`, `it is ${previous}`);
        }
        const cas = before?.modifyIndex ?? 0;
        await (version === 0 ? consul.kvDelete(key, { cas }) : consul.kvPut(key, String(version), { cas }));
        const after = await consul.kvGet(key);
        if (currentVersion(after) !== version) throw notVerified(consul.url, key, String(version), after);
        return { version, previous };
      });
    },

    /**
     * Sets the bounds within which autoscaling may move a service; null: none, so it is left alone. @param input.expected
     * fail with `Drifted` when other bounds than these (or than the wanted ones) are there.
     */
    writeScaleBounds(
      input: Where & { readonly bounds: ScaleBounds | null; readonly expected?: ScaleBounds | null },
    ): Promise<void> {
      return beating(async () => {
        const key = scaleKey(input);
        const before = input.expected === undefined ? undefined : await consul.kvGet(key);
        if (input.expected !== undefined) refuseOtherBounds(input, input.expected, boundsOf(before));
        const cas = input.expected === undefined ? {} : { cas: before?.modifyIndex ?? 0 };
        if (input.bounds === null) {
          await consul.kvDelete(key, cas);
          const left = await consul.kvGet(key);
          if (left !== undefined) throw notVerified(consul.url, key, '(nothing)', left);
          return;
        }
        const bounds = ScaleBoundsSchema.safeParse(input.bounds);
        if (!bounds.success || bounds.data.min > bounds.data.max) {
          throw requestInvalid(`these are no scale bounds for ${nameOf(input)}: ${JSON.stringify(input.bounds)}`);
        }
        const value = JSON.stringify(bounds.data);
        await consul.kvPut(key, value, cas);
        const stored = await consul.kvGet(key);
        if (stored?.value !== value) throw notVerified(consul.url, key, value, stored);
      });
    },

    /** Where the config centre points to, and the scale bounds, as they are; what can't be read counts as none. */
    async observePlaces(
      input: Where,
    ): Promise<{ readonly configVersion: number; readonly bounds: ScaleBounds | null }> {
      const [pointer, bounds] = await Promise.all([consul.kvGet(pointerKey(input)), consul.kvGet(scaleKey(input))]);
      return {
        configVersion: VERSION.test(pointer?.value ?? '') ? Number(pointer?.value) : 0,
        bounds: boundsOf(bounds),
      };
    },

    /** The bounds of every service in every environment, by one request. `UnexpectedAnswer` for what is no bounds. */
    async readAllScaleBounds(): Promise<readonly ServiceBounds[]> {
      const entries = await consul.kvList(SCALE_PREFIX);
      return entries.map((entry) => {
        const [environment, service, ...rest] = entry.key.slice(SCALE_PREFIX.length).split('/');
        const bounds = ScaleBoundsSchema.safeParse(parseJson(entry.value));
        if (!environment || !service || rest.length > 0 || !bounds.success) {
          throw ApplicationFailure.create({
            type: FailureType.UnexpectedAnswer,
            nonRetryable: true,
            message: `Consul ${consul.url}: ${entry.key} holds no scale bounds: ${entry.value}; remove or mend it`,
          });
        }
        return { environment, service, bounds: bounds.data };
      });
    },
  };
}

function versionKey(where: Where, version: number): string {
  if (!Number.isInteger(version) || version < 1) {
    throw requestInvalid(`${version} is no config version of ${nameOf(where)}; versions are 1, 2, 3 ...`);
  }
  return configKey(where.environment, where.service, version);
}

/** The bounds that a key holds; what can't be read counts as none. */
function boundsOf(entry: KvEntry | undefined): ScaleBounds | null {
  const parsed = ScaleBoundsSchema.safeParse(parseJson(entry?.value ?? ''));
  return parsed.success ? parsed.data : null;
}

function refuseOtherBounds(
  input: Where & { readonly bounds: ScaleBounds | null },
  left: ScaleBounds | null,
  found: ScaleBounds | null,
): void {
  if (sameBounds(found, left) || sameBounds(found, input.bounds)) return;
  const said = (bounds: ScaleBounds | null) => (bounds ? JSON.stringify(bounds) : 'none');
  throw changedByHand(`the scale bounds of ${nameOf(input)}`, said(left), `they are ${said(found)}`);
}

const pointerKey = ({ environment, service }: Where): string => `cfg/${environment}/${service}/current`;

const scaleKey = ({ environment, service }: Where): string => `${SCALE_PREFIX}${environment}/${service}`;

/** What a pointer holds. */
const VERSION = /^[1-9][0-9]*$/;

const nameOf = ({ environment, service }: Where): string => `the configuration of ${service} in ${environment}`;

/** The number the pointer holds; 0 where there is no pointer. */
function currentVersion(pointer: KvEntry | undefined): number {
  if (pointer === undefined) return 0;
  if (VERSION.test(pointer.value)) return Number(pointer.value);
  throw ApplicationFailure.create({
    type: FailureType.UnexpectedAnswer,
    nonRetryable: true,
    message: `Consul: ${pointer.key} holds "${pointer.value}", which is no version number; set it to one`,
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the schema then says that it does not fit.
    return undefined;
  }
}

function refused(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FailureType.SystemRefused, nonRetryable: true, message });
}

function notVerified(url: string, key: string, wanted: string, found: KvEntry | undefined): ApplicationFailure {
  return ApplicationFailure.create({
    type: FailureType.NotVerified,
    message: `Consul ${url}: ${key} was set to ${wanted} and reads back as ${found?.value ?? '(nothing)'}; somebody else writes it`,
  });
}
