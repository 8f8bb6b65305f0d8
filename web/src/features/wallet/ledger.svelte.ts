import { wallet } from '../../state/wallet.svelte';
import type { HistoryLineView } from '../../wire/HistoryLineView';
import { place, when } from './history';
import { REACH_PAGES, Reading } from './reading.svelte';

/** The history of one account, as far as it was read: page by page, the newest first. */
export class Ledger extends Reading {
  lines = $state.raw<HistoryLineView[]>([]);

  constructor(readonly account: string) {
    super();
  }

  /** The next page of older lines. */
  next(): Promise<void> {
    return this.queue(() => this.#next());
  }

  /** Reads back to a time. */
  reach(ms: number): Promise<void> {
    return this.queue(async () => {
      for (let page = 0; page < REACH_PAGES && this.more && !this.reaches(ms); page += 1) await this.#next();
    });
  }

  /** Whether all lines since then were read. */
  reaches(ms: number): boolean {
    const oldest = this.lines.at(-1);
    return this.loaded && (!this.more || (oldest ? when(oldest) : Infinity) < ms);
  }

  /** Something changed: what is new, and what of the lines that are here can be another by that. */
  refresh(): Promise<void> {
    return this.queue(() => (this.loaded ? this.#anew() : this.#next()));
  }

  async #next(): Promise<void> {
    if (this.loaded && !this.more) return;
    const page = await wallet.history(this.account, last(this.lines));
    this.lines = [...this.lines, ...page.lines];
    this.more = page.more;
    this.loaded = true;
  }

  async #anew(): Promise<void> {
    const old = this.lines;
    const fresh: HistoryLineView[] = [];
    for (let more = true; more; ) {
      const page = await wallet.history(this.account, last(fresh));
      fresh.push(...page.lines);
      const least = last(fresh) ?? 0;
      more = page.more && page.lines.length > 0 && least > oldestThatMayDiffer(old, fresh);
      // All was read again: what there is beyond is known anew, too.
      if (least <= (last(old) ?? Infinity) || !page.more) this.more = page.more;
    }
    const least = last(fresh) ?? Infinity;
    // What waited has moved to where the money went over: it may be the last line of all, and stood below.
    const read = new Set(fresh.map((line) => line.transfer));
    this.lines = [...fresh, ...old.filter((line) => place(line) < least && !read.has(line.transfer))];
  }
}

/** The oldest line that can stand otherwise now: one that waited, the one that a new refund is of, and none older than the newest. */
function oldestThatMayDiffer(old: readonly HistoryLineView[], fresh: readonly HistoryLineView[]): number {
  const newest = old[0] ? place(old[0]) : Infinity;
  const refunded = new Set(fresh.filter((line) => place(line) > newest).map((line) => line.refunds));
  const differs = old.findLast((line) => line.state === 'held' || refunded.has(line.transfer));
  return differs ? place(differs) : newest;
}

/** Before which the next page begins. */
function last(lines: readonly HistoryLineView[]): number | null {
  const line = lines.at(-1);
  return line ? place(line) : null;
}
