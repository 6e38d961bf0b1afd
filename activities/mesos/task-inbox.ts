/** What one subscription of `runTask` has to handle, in the order in which it came. */
import type { SchedulerEvent } from './types.ts';

export type Message =
  | { readonly kind: 'event'; readonly event: SchedulerEvent }
  | { readonly kind: 'closed'; readonly error: unknown }
  | { readonly kind: 'leave' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'abort-deadline' }
  | { readonly kind: 'offer-deadline' }
  | { readonly kind: 'tick' };

export class Inbox {
  readonly #messages: Message[] = [];
  #wake: (() => void) | undefined;

  put(message: Message): void {
    this.#messages.push(message);
    this.#wake?.();
  }

  /** Before everything that waits. */
  putFirst(message: Message): void {
    this.#messages.unshift(message);
    this.#wake?.();
  }

  /** What the ERROR that ended the subscription says, if one waits here. */
  pendingError(): string | undefined {
    for (const message of this.#messages) {
      if (message.kind === 'event' && message.event.type === 'ERROR') return message.event.error.message;
    }
    return undefined;
  }

  /** The next one, as soon as there is one. */
  async take(): Promise<Message> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
