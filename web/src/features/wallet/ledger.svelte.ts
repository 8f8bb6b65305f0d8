import { wallet } from '../../state/wallet.svelte';
import type { HistoryLineView } from '../../wire/HistoryLineView';
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
    return this.loaded && (!this.more || (this.lines.at(-1)?.time_ms ?? Infinity) < ms);
  }

  /** Something changed: what is new, and what of the lines that are here can be another by that. */
  refresh(): Promise<void> {
    return this.queue(() => (this.loaded ? this.#anew() : this.#next()));
  }

  async #next(): Promise<void> {
    if (this.loaded && !this.more) return;
    const page = await wallet.history(this.account, this.lines.at(-1)?.number ?? null);
    this.lines = [...this.lines, ...page.lines];
    this.more = page.more;
    this.loaded = true;
  }

  async #anew(): Promise<void> {
    const old = this.lines;
    const fresh: HistoryLineView[] = [];
    for (let more = true; more; ) {
      const page = await wallet.history(this.account, fresh.at(-1)?.number ?? null);
      fresh.push(...page.lines);
      const least = fresh.at(-1)?.number ?? 0;
      more = page.more && page.lines.length > 0 && least > oldestThatMayDiffer(old, fresh);
      // All was read again: what there is beyond is known anew, too.
      if (least <= (old.at(-1)?.number ?? Infinity) || !page.more) this.more = page.more;
    }
    const least = fresh.at(-1)?.number ?? Infinity;
    this.lines = [...fresh, ...old.filter((line) => line.number < least)];
  }
}

/** The oldest line that can stand otherwise now: one that waited, the one that a new refund is of, and none older than the newest. */
function oldestThatMayDiffer(old: readonly HistoryLineView[], fresh: readonly HistoryLineView[]): number {
  const newest = old[0]?.number ?? Infinity;
  const refunded = new Set(fresh.filter((line) => line.number > newest).map((line) => line.refunds));
  return old.findLast((line) => line.state === 'held' || refunded.has(line.transfer))?.number ?? newest;
}
