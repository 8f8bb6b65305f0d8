import { bills } from '../../../state/bills.svelte';
import type { InvoiceView } from '../../../wire/InvoiceView';
import { Reading } from '../reading.svelte';

/** Invoices, as far as they were read: the newest first. */
export class Bills extends Reading {
  list = $state.raw<InvoiceView[]>([]);

  constructor(
    readonly sent: boolean,
    readonly shop: string | null,
  ) {
    super();
  }

  /** Something changed: from the start again. */
  refresh(): Promise<void> {
    return this.queue(async () => {
      const page = await bills.list(this.sent, this.shop, null);
      this.list = page.invoices;
      this.more = page.more;
      this.loaded = true;
    });
  }

  /** The next page of older ones. */
  next(): Promise<void> {
    return this.queue(async () => {
      if (this.loaded && !this.more) return;
      const page = await bills.list(this.sent, this.shop, this.list.at(-1) ?? null);
      this.list = [...this.list, ...page.invoices];
      this.more = page.more && page.invoices.length > 0;
      this.loaded = true;
    });
  }
}
