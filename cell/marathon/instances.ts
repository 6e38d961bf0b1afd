import { randomUUID } from 'node:crypto';
import type { Offer, TaskStatus } from '../../activities/mesos/types.ts';
import { afterFailure, afterStart, backoffKey } from './backoff.ts';
import { conditionOf, isBadEnd, isFailure, isOver, isStart } from './conditions.ts';
import type { EventBus } from './events.ts';
import type { HealthTracker } from './health-tracker.ts';
import { isGivenUp, isInactive } from './lost.ts';
import type { App, Condition, Instance, UnreachableStrategy } from './model.ts';
import { placementOf } from './offers.ts';
import { safePath } from './path-id.ts';
import type { Profile } from './profile.ts';
import type { ScheduledInstances } from './scheduled.ts';
import type { State } from './state.ts';

/** Whom the life of instances concerns. */
export interface InstancesParts {
  readonly state: State;
  readonly bus: EventBus;
  readonly health: HealthTracker;
  readonly profile: Profile;
  readonly scheduled: ScheduledInstances;
  readonly nowMs: () => number;
  /** How long a second of a launch delay, or of the time to wait for a lost instance, takes. */
  readonly secondMs: number;
  /** Asks Mesos to end a task; repeated until the task is gone. */
  readonly killTask: (task: { readonly taskId: string; readonly agentId: string | undefined }) => void;
  /** An instance is gone for good. */
  readonly gone: (instance: Instance) => void;
  /** A lost instance no longer counts: another is to take its place, while it may still come back. */
  readonly inactive: (instance: Instance) => void;
  /** The task of an instance is gone, and it waits for another. */
  readonly again: (instance: Instance) => void;
  /** Anything about an instance changed. */
  readonly changed: () => void;
}

/** Brings instances into being, follows their tasks, and ends them. Every step is stored before it is told. */
export class Instances {
  readonly #parts: InstancesParts;

  constructor(parts: InstancesParts) {
    this.#parts = parts;
  }

  /** A new instance on an offer, stored before Mesos is asked to start it: so none is ever started twice or forgotten. */
  launch(app: App, offer: Offer, ports: readonly number[]): Instance {
    const { state, profile, nowMs } = this.#parts;
    const agentAddress = offer.url?.address.ip;
    const instance: Instance = {
      ...this.#identity(app),
      appId: app.id,
      generation: app.generation,
      condition: profile.launchedCondition,
      state: 'TASK_STAGING',
      goal: 'Running',
      agentId: offer.agent_id.value,
      host: offer.hostname,
      ...(agentAddress === undefined ? {} : { agentAddress }),
      ports,
      ipAddresses: [],
      attributes: placementOf(offer),
      stagedAt: new Date(nowMs()).toISOString(),
    };
    state.putInstance(instance);
    this.#tellCondition(instance);
    this.#spaceLaunches(instance);
    return instance;
  }

  /**
   * Decides the end of instances; those that are ending already are asked again. `again`: of their tasks only, where
   * instances outlive them.
   */
  kill(instances: readonly Instance[], then?: Instance['then']): void {
    const { state, profile } = this.#parts;
    for (const { id } of instances) {
      const instance = state.instances.get(id);
      if (!instance) continue;
      if (!profile.instancesOutliveTasks) {
        if (instance.goal !== 'Stopped') state.putInstance({ ...instance, goal: 'Stopped' });
      } else if (instance.goal !== 'Stopped' || (instance.then === 'again' && then !== 'again')) {
        const { then: _before, ...rest } = instance;
        state.putInstance({ ...rest, goal: 'Stopped', ...(then === undefined ? {} : { then }) });
        // Its goal has changed; that is told as if its condition had.
        if (then !== 'again') this.#tellCondition(instance);
      }
      const doomed = state.instances.get(id) ?? instance;
      // Nobody could end a lost task now; should it come back, it is unknown and is ended then.
      if (doomed.unreachableSince !== undefined) this.#end({ ...doomed, state: 'TASK_KILLED' }, 'Killed');
      else this.#parts.killTask(doomed);
    }
  }

  /** Asks once more for the end of all that shall end: an answer may have been lost. */
  repeatKills(): void {
    for (const instance of this.#parts.state.instances.values()) {
      if (instance.goal === 'Stopped') this.#parts.killTask(instance);
    }
  }

  /** Mesos has ended every task without telling of each. */
  allGone(): void {
    for (const instance of [...this.#parts.state.instances.values()]) {
      this.#end({ ...instance, goal: 'Stopped', state: 'TASK_KILLED' }, 'Killed');
    }
  }

  /** Replaces an instance that its checks found unhealthy. */
  killUnhealthy(instance: Instance, app: App, cause: string): void {
    const { state, bus, nowMs } = this.#parts;
    if (instance.goal === 'Stopped') return;
    bus.publish('unhealthy_instance_kill_event', {
      appId: app.id,
      taskId: instance.taskId,
      instanceId: instance.id,
      version: instance.version,
      reason: cause,
      host: instance.host,
      slaveId: instance.agentId,
    });
    state.setFailure({
      appId: app.id,
      host: instance.host,
      message: `Task was killed since health check failed. Reason: ${cause}`,
      state: 'TASK_KILLED',
      taskId: instance.taskId,
      timestamp: new Date(nowMs()).toISOString(),
      version: instance.version,
      slaveId: instance.agentId,
    });
    this.kill([instance], 'again');
  }

  /** Takes in what Mesos says of a task; the caller acknowledges afterwards. */
  takeStatus(status: TaskStatus): void {
    const { state, health } = this.#parts;
    const instance = state.instanceByTask(status.task_id.value);
    const condition = conditionOf(status);
    if (!instance) {
      this.#takeUnknown(status, condition);
      return;
    }
    // A reconciled or repeated state says nothing new but the health that Mesos last saw.
    const changed = this.#applied(instance, status, condition);
    const news =
      condition !== this.#plainCondition(instance) ||
      changed.condition !== instance.condition ||
      (status.healthy !== undefined && status.reason !== 'REASON_RECONCILIATION');
    const app = this.#parts.state.configOf(instance);
    const failed = isFailure(condition) && (condition !== 'Unreachable' || this.#parts.profile.unreachableIsFailure);
    if (news && !(isOver(condition) && instance.then === 'wiped')) this.#tellStatus(changed, status);
    if (failed || (condition === 'Killed' && status.healthy === false && instance.goal === 'Running')) {
      this.#noteFailure(changed, status);
    }
    if (isOver(condition)) {
      this.#end(changed, condition);
      return;
    }
    state.putInstance(changed);
    if (changed.condition !== instance.condition) {
      this.#tellCondition(changed);
      this.#spaceLaunches(changed);
      if (changed.condition === 'UnreachableInactive') {
        if (this.#isForgotten(changed)) return;
        this.#parts.inactive(changed);
      }
    }
    if (app) health.takeStatus(changed, app, status);
    // A task that was told to end before it was known to Mesos, or while Mesos could not be asked.
    if (changed.goal === 'Stopped' && condition !== 'Killing') this.#parts.killTask(changed);
    this.#parts.changed();
  }

  /**
   * Gives up lost instances whose time is over, looked at again and again by a timer.
   *
   * @param makesInactive false: only when Mesos repeats that it does not reach a task is it found to be inactive; before
   * that it is not given up
   */
  giveUpLost({ makesInactive = true } = {}): void {
    const { state, nowMs, secondMs } = this.#parts;
    for (const instance of state.instances.values()) {
      if (!instance.unreachableSince) continue;
      const strategy = this.#strategyOf(instance);
      const lostForMs = nowMs() - Date.parse(instance.unreachableSince);
      const waits = instance.condition === 'Unreachable';
      if (isGivenUp(strategy, lostForMs, secondMs) && (makesInactive || !waits)) {
        this.#end({ ...instance, state: 'TASK_KILLED' }, 'Killed');
      } else if (makesInactive && waits && isInactive(strategy, lostForMs, secondMs)) {
        const inactive: Instance = { ...instance, condition: 'UnreachableInactive' };
        state.putInstance(inactive);
        this.#tellCondition(inactive);
        this.#parts.inactive(inactive);
        this.#parts.changed();
      }
    }
  }

  /** From 1.8 on, what is given up at once when it is lost leaves without another word. */
  #isForgotten(instance: Instance): boolean {
    const { state, health, profile, secondMs } = this.#parts;
    if (!profile.instancesOutliveTasks || !isGivenUp(this.#strategyOf(instance), 0, secondMs)) return false;
    state.removeInstance(instance.id);
    health.forget(instance.id);
    this.#parts.gone(instance);
    this.#parts.changed();
    return true;
  }

  #strategyOf(instance: Instance): UnreachableStrategy {
    return (
      this.#parts.state.configOf(instance)?.unreachableStrategy ?? { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 }
    );
  }

  #takeUnknown(status: TaskStatus, condition: Condition): void {
    const taskId = status.task_id.value;
    if (isOver(condition)) {
      const instanceId = taskId.replace(/\._app\.\d+$/, '');
      const { instances, scheduled } = this.#parts.state;
      // A former task of an instance that is there is told of once more: nobody minds.
      if (instances.has(instanceId) || scheduled.has(instanceId)) return;
      this.#tellUnknown(instanceId, `/${instanceId.replace(/\.[^.]*$/, '').replaceAll('_', '/')}`, condition);
      return;
    }
    // Nobody here wants it: it was given up, or its memory is lost.
    this.#parts.killTask({ taskId, agentId: status.agent_id?.value });
  }

  #applied(instance: Instance, status: TaskStatus, condition: Condition): Instance {
    const { unreachableSince: _since, lostMessage: _message, ...reachable } = instance;
    const at = new Date(this.#parts.nowMs()).toISOString();
    const lost = condition === 'Unreachable';
    const addresses = (status.container_status?.network_infos ?? []).flatMap((info) =>
      (info.ip_addresses ?? []).flatMap(({ ip_address, protocol }) =>
        ip_address === undefined ? [] : [{ ipAddress: ip_address, protocol: protocol ?? 'IPv4' }],
      ),
    );
    return {
      ...reachable,
      condition: lost ? this.#lostCondition(instance) : condition,
      state: status.state,
      ipAddresses:
        addresses.length > 0 || (lost && this.#parts.profile.instancesOutliveTasks) ? addresses : instance.ipAddresses,
      ...(condition === 'Running' && !instance.startedAt ? { startedAt: at } : {}),
      ...(lost
        ? {
            unreachableSince: instance.unreachableSince ?? at,
            lostMessage: instance.lostMessage ?? status.message ?? '',
          }
        : {}),
    };
  }

  /** With `inactiveAfterSeconds: 0`, the default, a lost instance is replaced at once. */
  #lostCondition(instance: Instance): Condition {
    const { nowMs, secondMs } = this.#parts;
    const since = instance.unreachableSince;
    const lostForMs = since === undefined ? 0 : nowMs() - Date.parse(since);
    const inactive =
      instance.condition === 'UnreachableInactive' || isInactive(this.#strategyOf(instance), lostForMs, secondMs);
    return inactive ? 'UnreachableInactive' : 'Unreachable';
  }

  #plainCondition(instance: Instance): Condition {
    return instance.condition === 'UnreachableInactive' ? 'Unreachable' : instance.condition;
  }

  #end(instance: Instance, condition: Condition): void {
    const { state, health } = this.#parts;
    const ended = { ...instance, condition };
    state.removeInstance(instance.id);
    const goesOn = this.#goesOn(instance);
    if (goesOn) health.ended(instance.id);
    else health.forget(instance.id);
    this.#tellCondition(ended);
    // It would go on, but a newer version takes its place: its goal changes, and that is told too.
    if (!goesOn && this.#wouldGoOn(instance) && state.app(instance.appId)) this.#tellCondition(ended);
    if (instance.then === 'wiped') this.#tellUnknown(instance.id, instance.appId, condition);
    if (goesOn) this.#parts.scheduled.again(ended);
    const config = this.#parts.state.configOf(instance);
    if (config && isBadEnd(condition)) {
      const key = backoffKey(config);
      state.setBackoff(key, afterFailure(state.backoffs.get(key), config, this.#parts.nowMs(), this.#parts.secondMs));
    }
    if (goesOn) this.#parts.again(ended);
    else this.#parts.gone(ended);
    this.#parts.changed();
  }

  #noteFailure(instance: Instance, status: TaskStatus): void {
    this.#parts.state.setFailure({
      appId: instance.appId,
      host: instance.host,
      message: status.message ?? '',
      state: status.state,
      taskId: instance.taskId,
      timestamp: new Date(this.#parts.nowMs()).toISOString(),
      version: instance.version,
      slaveId: instance.agentId,
    });
  }

  /** What a new task and its instance are called, and which version of the app they are of. */
  #identity(app: App): Pick<Instance, 'id' | 'taskId' | 'version' | 'incarnation'> {
    const { profile, scheduled } = this.#parts;
    if (!profile.instancesOutliveTasks) {
      const uuid = randomUUID();
      return {
        id: `${safePath(app.id)}.marathon-${uuid}`,
        taskId: `${safePath(app.id)}.${uuid}`,
        version: app.version,
      };
    }
    const { id, version, incarnation } = scheduled.take(app);
    return { id, taskId: `${id}._app.${incarnation}`, version, incarnation };
  }

  /** An instance that was not to end goes on with another task, as long as its app still wants it. */
  #goesOn(instance: Instance): boolean {
    return this.#wouldGoOn(instance) && this.#parts.state.app(instance.appId)?.generation === instance.generation;
  }

  /** Whether it was not to end, whatever became of its app. */
  #wouldGoOn({ unreachableSince, goal, then }: Instance): boolean {
    if (!this.#parts.profile.instancesOutliveTasks || unreachableSince !== undefined) return false;
    return goal === 'Running' || then === 'again';
  }

  #tellUnknown(instanceId: string, runSpecId: string, condition: Condition): void {
    this.#parts.bus.publish('unknown_instance_terminated_event', { instanceId, runSpecId, condition });
  }

  /** Every step of a start under delay lets the delay count from anew. */
  #spaceLaunches(instance: Instance): void {
    const { state, nowMs } = this.#parts;
    if (!isStart(instance.condition)) return;
    const key = backoffKey({ id: instance.appId, generation: instance.generation });
    const backoff = state.backoffs.get(key);
    if (backoff) state.setBackoff(key, afterStart(backoff, nowMs()));
  }

  #tellStatus(instance: Instance, status: TaskStatus): void {
    this.#parts.bus.publish('status_update_event', {
      slaveId: instance.agentId,
      taskId: instance.taskId,
      taskStatus: status.state,
      message: instance.lostMessage ?? status.message ?? '',
      appId: instance.appId,
      host: instance.host,
      ipAddresses: instance.ipAddresses,
      ports: instance.ports,
      version: instance.version,
    });
  }

  #tellCondition(instance: Instance): void {
    this.#parts.bus.publish('instance_changed_event', {
      instanceId: instance.id,
      condition: instance.condition,
      runSpecId: instance.appId,
      agentId: instance.agentId,
      host: instance.host,
      runSpecVersion: instance.version,
    });
  }
}
