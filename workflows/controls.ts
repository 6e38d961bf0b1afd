import { ApplicationFailure, setHandler } from '@temporalio/workflow';
import type { Group } from '../domain/approval.ts';
import {
  type CommandName,
  type ControlSituation,
  missingPeople,
  refuseCommand,
  subjectOf,
  toSkip,
} from '../domain/controls.ts';
import { FailureType } from '../domain/failures.ts';
import type { Plan, Step } from '../domain/plan.ts';
import type { CommandRecord } from '../domain/release.ts';
import { refuseWord } from '../domain/word.ts';
import { type ControlAnswer, type ControlInput, controlUpdates } from './contract.ts';
import type { ReleaseGate } from './gate.ts';
import type { ReleaseRecord } from './release-record.ts';

/** What the controls need of the release that they are on. */
export interface ControlledRelease {
  readonly requestedBy: string;
  readonly record: ReleaseRecord;
  readonly gate: ReleaseGate;
  /** True while a command may still change where the release goes. */
  readonly isForward: boolean;
  /** Absent while it is prepared. */
  readonly plan: Plan | undefined;
  readonly groups: readonly Group[];
  /** The step under way. */
  readonly currentStep: Step | undefined;
}

/** What people say to a release under way besides stopping it, and what comes of it. */
export class Controls {
  /** The step that failed and waits to be tried again. */
  private failed: string | undefined;
  private readonly skippedSteps = new Map<string, readonly string[]>();
  private readonly release: ControlledRelease;

  constructor(release: ControlledRelease) {
    this.release = release;
  }

  /** Takes the Updates of the contract from now on. */
  listen(): void {
    for (const [name, update] of Object.entries(controlUpdates)) {
      const command = name as CommandName;
      setHandler(update, (input) => this.take(command, input), { validator: (input) => this.refuse(command, input) });
    }
  }

  /** True when people have said that this step, or all that hold up its environment, is to be skipped. */
  isSkipped(step: string): boolean {
    return this.skippedSteps.has(step);
  }

  /** Who said so, in one sentence; undefined for a step that is not skipped. */
  skippedBy(step: string): string | undefined {
    const people = this.skippedSteps.get(step);
    return people && `skipped by ${people.join(' and ')}`;
  }

  /** From now on this step may be tried again. @returns whether somebody has said so */
  mayRetry(step: string): () => boolean {
    this.failed = step;
    return () => this.failed === undefined;
  }

  /** Nobody has said so in time. */
  retryIsOver(): void {
    this.failed = undefined;
  }

  private refuse(name: CommandName, input: ControlInput): void {
    const unsaid = refuseWord(input, 'by', 'reason');
    if (unsaid) throw ApplicationFailure.nonRetryable(unsaid.message, unsaid.type);
    if (!this.release.isForward) {
      throw ApplicationFailure.nonRetryable('the release has ended or is being undone', FailureType.ReleaseOver);
    }
    const refusal = refuseCommand({ name, ...input }, this.situation());
    if (refusal) throw ApplicationFailure.nonRetryable(refusal.message, refusal.type);
  }

  private take(name: CommandName, input: ControlInput): ControlAnswer {
    const { gate, record } = this.release;
    const { by, reason } = input;
    const about = subjectOf({ name, ...input }, this.situation());
    const word: CommandRecord = {
      ...{ name, by, reason, at: new Date().toISOString() },
      ...(about === undefined ? {} : { about }),
    };
    record.commanded(word);
    const missing = missingPeople(name, this.situation());
    if (missing > 0) return { command: word, missing };
    switch (name) {
      case 'pause':
        gate.paused = word;
        record.paused(word);
        break;
      case 'resume':
        gate.paused = undefined;
        record.paused(undefined);
        break;
      case 'retryStep':
        this.failed = undefined;
        break;
      case 'skipHold':
      case 'skipAnalysis':
        this.skip(about === undefined ? [] : [about], word);
        break;
      case 'promoteFully':
        this.skip(
          toSkip(this.situation()).map(({ id }) => id),
          word,
        );
    }
    return { command: word, missing: 0 };
  }

  private skip(steps: readonly string[], { about, name }: CommandRecord): void {
    const said = this.release.record.commands.filter((word) => word.name === name && word.about === about);
    for (const step of steps) this.skippedSteps.set(step, [...new Set(said.map(({ by }) => by))]);
  }

  private situation(): ControlSituation {
    const { currentStep, gate, groups, plan, record, requestedBy } = this.release;
    return {
      ...{ requestedBy, groups, paused: gate.paused !== undefined, said: record.commands },
      skipped: new Set(this.skippedSteps.keys()),
      ...(plan === undefined ? {} : { plan }),
      ...(currentStep === undefined ? {} : { current: currentStep }),
      ...(this.failed === undefined ? {} : { failed: this.failed }),
    };
  }
}
