import {
  ActivityFailure,
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  log,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { LedgerActivities } from '../activities/ledger/activities.ts';
import type { FreezeActivities } from '../activities/temporal/freezes.ts';
import { FailureType } from '../domain/failures.ts';
import { concernsService, type Freeze, type FreezeList, firstEnd, isOver, scopeText } from '../domain/freeze.ts';
import type { FreezeEntry } from '../domain/ledger.ts';
import { type Wait, WaitReason } from '../domain/wait.ts';
import {
  type FreezeInput,
  type FreezesCarried,
  type FreezesInput,
  type FreezesView,
  type FreezeWatcher,
  freezesQuery,
  freezeUpdate,
  unfreezeUpdate,
  unwatchFreezesSignal,
  watchedFreezesQuery,
  watchFreezesSignal,
} from './contract.ts';
import { activities, LEDGER_AWAY, READ } from './options.ts';
import { waitFor } from './wait.ts';

// It lives for ever and moves to the current version of the code, as lanes do.
setWorkflowOptions(
  () => (workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {}),
  freezes,
);

/**
 * All freezes, and every release that has to know of them. A freeze counts from the moment its Update is answered; all
 * watching releases are told at once. It waits for nothing: not for the ledger, and not for a release that does not
 * listen. Lives for ever and continues as new.
 */
export async function freezes(input: FreezesInput): Promise<never> {
  let list: FreezeList = input.carried?.list ?? { number: 0, freezes: [] };
  let announced = input.carried?.announced ?? 0;
  const watchers = new Map<string, FreezeWatcher>(input.carried?.watchers.map((one) => [one.holder, one]));
  const untold: FreezeEntry[] = [...(input.carried?.untold ?? [])];
  /** Announcements under way; a newer list does not wait for the one before. */
  let announcing = 0;
  let telling = false;
  let wait: Wait | undefined;
  const ledger = new CancellationScope();

  const standing = (): readonly Freeze[] => list.freezes.filter((freeze) => !isOver(freeze, now()));
  const listFor = (service: string): FreezeList => ({
    number: list.number,
    freezes: list.freezes.filter((freeze) => concernsService(freeze, service)),
  });

  setHandler(
    freezesQuery,
    (): FreezesView => ({
      freezes: standing(),
      watchers: watchers.size,
      ...(wait === undefined ? {} : { wait }),
    }),
  );
  setHandler(watchedFreezesQuery, (holder) => {
    const watcher = watchers.get(holder);
    return watcher && listFor(watcher.service);
  });
  setHandler(watchFreezesSignal, (watcher) => {
    watchers.set(watcher.holder, watcher);
  });
  setHandler(unwatchFreezesSignal, (holder) => {
    watchers.delete(holder);
  });
  setHandler(
    freezeUpdate,
    ({ scope, by, reason, until }) => {
      const freeze: Freeze = {
        ...{ id: newId(), scope, by, reason, at: now() },
        ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
      };
      change([...list.freezes, freeze]);
      untold.push({ kind: 'freeze', ...freeze });
      return freeze;
    },
    { validator: refuseEnd },
  );
  setHandler(
    unfreezeUpdate,
    ({ id, by, reason }) => {
      const freeze = require(id);
      end(freeze, by, reason);
      return freeze;
    },
    { validator: ({ id }) => void require(id) },
  );

  for (;;) {
    setCurrentDetails(describe());
    await untilSomething();
    for (const freeze of list.freezes.filter((one) => isOver(one, now()))) end(freeze, 'slipway', 'its time had come');
    if (announced < list.number) void announce();
    if (untold.length > 0 && !telling) void ledger.run(tell);
    if (mayContinueAsNew()) await goOn();
  }

  /** Until a freeze is to be announced, the ledger to be told, or the first freeze is over by itself. */
  async function untilSomething(): Promise<void> {
    const something = () => announced < list.number || (untold.length > 0 && !telling) || mayContinueAsNew();
    const ends = firstEnd(list.freezes);
    if (ends === undefined) return condition(something);
    const [first] = list.freezes.filter(({ until }) => until === ends);
    await waitFor(
      { show: (shown) => (wait = shown) },
      {
        reason: WaitReason.Freeze,
        sentence: `${first ? scopeText(first.scope) : 'something'} is frozen until ${ends}`,
        endedBy: `time, or a person who lifts ${first?.id}`,
        seconds: Math.max(0.05, (Date.parse(ends) - Date.now()) / 1000),
        atDeadline: 'the freeze is over',
      },
      something,
    );
  }

  function change(freezes: readonly Freeze[]): void {
    list = { number: list.number + 1, freezes };
  }

  function end({ id }: Freeze, by: string, reason: string): void {
    change(list.freezes.filter((freeze) => freeze.id !== id));
    untold.push({ kind: 'unfreeze', id, by, reason, at: now() });
  }

  function require(id: string): Freeze {
    const freeze = standing().find((one) => one.id === id);
    if (freeze) return freeze;
    const known = standing().map((one) => one.id);
    const told = known.length === 0 ? 'nothing is frozen' : `there are ${known.join(', ')}`;
    throw ApplicationFailure.nonRetryable(`there is no freeze ${id}: ${told}`, FailureType.UnknownFreeze);
  }

  /** Tells every watcher; one whose run has ended is forgotten. What does not come through is told again. */
  async function announce(): Promise<void> {
    const { number } = list;
    announced = number;
    if (watchers.size === 0) return;
    announcing++;
    try {
      const tell = activities<FreezeActivities>(READ, `Tell ${watchers.size} releases what is frozen`);
      const { gone } = await tell.announceFreezes({ list, watchers: [...watchers.values()] });
      for (const holder of gone) watchers.delete(holder);
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      log.error('not every release could be told what is frozen; it is tried again', { number, error });
      announced = Math.min(announced, number - 1);
    } finally {
      announcing--;
    }
  }

  async function tell(): Promise<void> {
    telling = true;
    const entries = [...untold];
    try {
      await activities<LedgerActivities>(LEDGER_AWAY, 'Tell the ledger what is frozen').writeFreezes({ entries });
      untold.splice(0, entries.length);
    } catch (error) {
      if (isCancellation(error)) return;
      if (!(error instanceof ActivityFailure)) throw error;
      log.error('the ledger could not be told what is frozen; it is tried again', { error });
    } finally {
      telling = false;
    }
  }

  function mayContinueAsNew(): boolean {
    return workflowInfo().continueAsNewSuggested && announcing === 0 && announced === list.number;
  }

  async function goOn(): Promise<void> {
    // What the ledger was not told goes along: told twice it is told once.
    ledger.cancel();
    await condition(allHandlersFinished);
    const carried: FreezesCarried = { list, announced, watchers: [...watchers.values()], untold };
    await continueAsNew<typeof freezes>({ carried });
  }

  function newId(): string {
    const id = uuid4().slice(0, 8);
    return list.freezes.some((freeze) => freeze.id === id) ? newId() : id;
  }

  function describe(): string {
    const said = list.freezes.map(
      ({ id, scope, by, reason, until }) =>
        `- ${scopeText(scope)} (${id}): ${reason}, by ${by}${until === undefined ? '' : `, until ${until}`}`,
    );
    return said.length === 0 ? 'Nothing is frozen.' : said.join('\n');
  }
}

function refuseEnd({ until }: FreezeInput): void {
  if (until === undefined || Date.parse(until) > Date.now()) return;
  throw ApplicationFailure.nonRetryable(`until: ${until} is no time to come`, FailureType.RequestInvalid);
}

function now(): string {
  return new Date().toISOString();
}
