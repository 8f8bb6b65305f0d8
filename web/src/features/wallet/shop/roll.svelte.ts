import { shops } from '../../../state/shops.svelte';
import type { SaleView } from '../../../wire/SaleView';
import { REACH_PAGES, Reading } from '../reading.svelte';

/** A till roll, as far as it was read: the newest first. */
export class Roll extends Reading {
  sales = $state.raw<SaleView[]>([]);

  constructor(readonly shop: string) {
    super();
  }

  /** The next page of older sales. */
  next(): Promise<void> {
    return this.queue(() => this.#next());
  }

  /** Something changed: the newest ones again, and back to a time. */
  refresh(since: number): Promise<void> {
    return this.queue(async () => {
      const old = this.sales;
      const page = await shops.sales(this.shop, null);
      const fresh = new Set(page.sales.map(({ sale }) => sale));
      // What is older than the page stays as it was read; where nothing of it is known, there may be a gap.
      const joined = old.some(({ sale }) => fresh.has(sale));
      this.sales = joined ? [...page.sales, ...old.slice(old.findLastIndex(({ sale }) => fresh.has(sale)) + 1)] : page.sales;
      this.more = joined && this.sales.length > page.sales.length ? this.more : page.more;
      this.loaded = true;
      for (let pages = 0; pages < REACH_PAGES && this.more && !this.reaches(since); pages += 1) await this.#next();
    });
  }

  /** Whether all sales since then were read. */
  reaches(since: number): boolean {
    return this.loaded && (!this.more || (this.sales.at(-1)?.time_ms ?? Infinity) < since);
  }

  /** A sale stands otherwise now, or is new. */
  take(sale: SaleView): void {
    const at = this.sales.findIndex((one) => one.sale === sale.sale);
    this.sales = at < 0 ? [sale, ...this.sales] : this.sales.with(at, sale);
  }

  async #next(): Promise<void> {
    if (this.loaded && !this.more) return;
    const page = await shops.sales(this.shop, this.sales.at(-1)?.sale ?? null);
    this.sales = [...this.sales, ...page.sales];
    this.more = page.more && page.sales.length > 0;
    this.loaded = true;
  }
}
