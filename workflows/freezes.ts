import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
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
import type { Refusal } from '../domain/approval.ts';
import { counted } from '../domain/counted.ts';
import { FailureType } from '../domain/failures.ts';
import { type Freeze, type FreezeList, firstEnd, isOver, scopeText } from '../domain/freeze.ts';
import type { FreezeEntry } from '../domain/ledger.ts';
import { type Wait, WaitReason } from '../domain/wait.ts';
import { refuseScope, refuseWord } from '../domain/word.ts';
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
  watchFreezesSignal,
} from './contract.ts';
import { activities, LEDGER_AWAY, READ } from './options.ts';
import { idleUntil, untilAnswered, waitFor } from './wait.ts';

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
  // Should somebody terminate it, the lists of the next one are newer than all that releases were told.
  let list: FreezeList = input.carried?.list ?? { number: Date.now(), freezes: [] };
  let announced = input.carried?.announced ?? list.number;
  const watchers = new Map<string, FreezeWatcher>(input.carried?.watchers.map((one) => [one.holder, one]));
  /** Those that have asked what is frozen. */
  const asking: FreezeWatcher[] = [...(input.carried?.asking ?? [])];
  const untold: FreezeEntry[] = [...(input.carried?.untold ?? [])];
  /** Announcements under way; a newer list does not wait for the one before. */
  let announcing = 0;
  let telling = false;
  let wait: Wait | undefined;
  const ledger = new CancellationScope();

  const standing = (): readonly Freeze[] => list.freezes.filter((freeze) => !isOver(freeze, now()));

  setHandler(
    freezesQuery,
    (): FreezesView => ({
      freezes: standing(),
      watchers: watchers.size,
      ...(wait === undefined ? {} : { wait }),
    }),
  );
  setHandler(watchFreezesSignal, (watcher) => {
    watchers.set(watcher.holder, watcher);
    asking.push(watcher);
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
    { validator: refuseFreeze },
  );
  setHandler(
    unfreezeUpdate,
    ({ id, by, reason }) => {
      const freeze = require(id);
      end(freeze, by, reason);
      return freeze;
    },
    {
      validator: (command) => {
        refuseAs(refuseWord(command, 'id', 'by', 'reason'));
        require(command.id);
      },
    },
  );

  if (input.carried === undefined) void takeOver();
  for (;;) {
    setCurrentDetails(describe());
    await untilSomething();
    for (const freeze of list.freezes.filter((one) => isOver(one, now()))) end(freeze, 'slipway', 'its time had come');
    if (announced < list.number) void announce();
    if (isAsked()) void answer();
    if (untold.length > 0 && !telling) void ledger.run(tell);
    if (mayContinueAsNew()) await goOn();
  }

  /** Until a freeze is to be announced, the ledger to be told, or the first freeze is over by itself. */
  async function untilSomething(): Promise<void> {
    const something = () =>
      announced < list.number || isAsked() || (untold.length > 0 && !telling) || mayContinueAsNew();
    const ends = firstEnd(list.freezes);
    if (ends === undefined) return idleUntil(something);
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

  /** Those who ask while a new run is due are answered by that. */
  function isAsked(): boolean {
    return asking.length > 0 && !workflowInfo().continueAsNewSuggested;
  }

  /** Tells every watcher. What does not come through is told again. */
  async function announce(): Promise<void> {
    const { number } = list;
    announced = number;
    if (await told([...watchers.values()])) return;
    announced = Math.min(announced, number - 1);
  }

  /** Tells those who have asked. One that could not be told asks again. */
  async function answer(): Promise<void> {
    await told(asking.splice(0));
  }

  /** Before this run there may have been one that was terminated. What was frozen then is forgotten; who watched is not. */
  async function takeOver(): Promise<void> {
    announcing++;
    try {
      const look = activities<FreezeActivities>(READ, 'Which releases are under way');
      const running = await look.listFreezeWatchers();
      for (const watcher of running.filter(({ holder }) => !watchers.has(holder))) {
        watchers.set(watcher.holder, watcher);
        asking.push(watcher);
      }
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      log.error('it could not be looked which releases are under way; they are told nothing', { error });
    } finally {
      announcing--;
    }
  }

  /** False when one of these could not be told what is frozen. One whose run has ended is forgotten. */
  async function told(these: readonly FreezeWatcher[]): Promise<boolean> {
    if (these.length === 0) return true;
    announcing++;
    try {
      const tell = activities<FreezeActivities>(READ, `Tell ${counted(these.length, 'release')} what is frozen`);
      const { gone } = await tell.announceFreezes({ list, watchers: these });
      for (const holder of gone) watchers.delete(holder);
      return true;
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      log.error('not every release could be told what is frozen', { number: list.number, error });
      return false;
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
    await untilAnswered();
    const carried: FreezesCarried = { list, announced, watchers: [...watchers.values()], asking, untold };
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

function refuseFreeze(input: FreezeInput): void {
  refuseAs(refuseWord(input, 'by', 'reason') ?? refuseScope(input.scope));
  const { until } = input;
  if (until === undefined || Date.parse(until) > Date.now()) return;
  throw ApplicationFailure.nonRetryable(`until: ${until} is no time to come`, FailureType.RequestInvalid);
}

function refuseAs(refusal: Refusal | undefined): void {
  if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
}

function now(): string {
  return new Date().toISOString();
}
