import type { Event } from '../wire/Event';
import type { WalletView } from '../wire/WalletView';
import { engine } from './engine';
import { errorCode } from './errors';
import { setNodeTime } from './node-time';

/** Several changes that come together are one, */
const SETTLE_MS = 150;
/** and where they come all the time, it is asked so often. */
const ROUND_MS = 500;

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
  /** Counts what was asked: an answer that was overtaken is thrown away. */
  #asked = 0;
  #reloaded = 0;

  /** Asks once; from then on the engine tells when to ask again, also where it could not be had at first. */
  want(): void {
    if (!this.#wanted) this.load().catch(() => undefined);
  }

  async load(): Promise<void> {
    this.#wanted = true;
    const asked = (this.#asked += 1);
    try {
      const view = await engine().call({ call: 'wallet' });
      if (asked !== this.#asked) return;
      this.view = view;
      this.failed = null;
      if (view.node_time_ms !== undefined) setNodeTime(view.node_time_ms);
    } catch (error) {
      if (asked === this.#asked) this.failed = errorCode(error) ?? 'internal';
      throw error;
    }
  }

  /** The engine was started, or the node is there again: everything that is shown is asked for anew. */
  reload(): void {
    this.#stop();
    this.#reloaded = Date.now();
    this.round += 1;
    this.load().catch(() => undefined);
  }

  clear(): void {
    this.#stop();
    this.#asked += 1;
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
    // Whoever hears all the time hears at last: a round that is due is not put off.
    const wait = Math.max(SETTLE_MS, this.#reloaded + ROUND_MS - Date.now());
    this.#timer ??= setTimeout(() => this.reload(), Math.min(wait, ROUND_MS));
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

export const purse = new Purse();
