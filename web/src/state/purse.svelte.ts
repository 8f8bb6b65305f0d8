import type { Event } from '../wire/Event';
import type { WalletView } from '../wire/WalletView';
import { engine } from './engine';
import { errorCode } from './errors';

/** Several changes that come together are one. */
const SETTLE_MS = 150;

/** One's own money, and when to ask anew: what is needed from the start. What is done with it is in `wallet.svelte.ts`, which comes later. */
class Purse {
  view = $state.raw<WalletView | null>(null);
  /** Code of what went wrong when it was asked for last. */
  failed = $state<string | null>(null);
  /** Counts what was heard: whatever shows money is asked for anew in each round. */
  round = $state(0);
  /** The node issues something that can be paid with. */
  readonly ready: boolean = $derived((this.view?.assets.length ?? 0) > 0);
  /** Whatever else keeps something of money; called when somebody has signed out. */
  readonly forget = new Set<() => void>();
  #wanted = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks once; from then on the engine tells when to ask again, also where it could not be had at first. */
  want(): void {
    if (!this.#wanted) this.load().catch(() => undefined);
  }

  async load(): Promise<void> {
    this.#wanted = true;
    try {
      this.view = await engine().call({ call: 'wallet' });
      this.failed = null;
    } catch (error) {
      this.failed = errorCode(error) ?? 'internal';
      throw error;
    }
  }

  /** The engine was started, or the node is there again: everything that is shown is asked for anew. */
  reload(): void {
    clearTimeout(this.#timer);
    this.round += 1;
    this.load().catch(() => undefined);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#wanted = false;
    this.view = null;
    this.failed = null;
    for (const forget of this.forget) forget();
    this.round += 1;
  }

  heard(event: Event): void {
    const back = event.event === 'connection' && event.value.state === 'online' && this.#wanted;
    // What others pay to one another the node tells nobody else; they say it in the chat.
    const said = event.event === 'messages' && event.value.messages.some(({ body }) => body.kind === 'paid');
    if (event.event !== 'wallet' && !back && !said) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.reload(), SETTLE_MS);
  }
}

export const purse = new Purse();
