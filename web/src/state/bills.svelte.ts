import type { CallOf } from '../engine/calls';
import type { InvoicesView } from '../wire/InvoicesView';
import type { InvoiceView } from '../wire/InvoiceView';
import { engine } from './engine';

type Wish<N extends CallOf<'send_invoice' | 'pay_invoice' | 'refund_invoice'>['call']> = Omit<CallOf<N>, 'call'>;

/** Invoices as the node says that they are. */
export const bills = {
  /** A page, the newest first. `shop`: what that one has sent. */
  list(sent: boolean, shop: string | null, before: InvoiceView | null): Promise<InvoicesView> {
    return engine().call({ call: 'invoices', sent, shop, user: before?.issuer.user ?? null, invoice: before?.invoice ?? null });
  },
  get(user: string, invoice: string): Promise<InvoiceView> {
    return engine().call({ call: 'invoice', user, invoice });
  },
  send(wish: Wish<'send_invoice'>): Promise<InvoiceView> {
    return engine().call({ call: 'send_invoice', ...wish });
  },
  /** Says once more in the chat that it is there. */
  tell(user: string, invoice: string): Promise<InvoiceView> {
    return engine().call({ call: 'tell_invoice', user, invoice });
  },
  cancel(user: string, invoice: string): Promise<InvoiceView> {
    return engine().call({ call: 'cancel_invoice', user, invoice });
  },
  pay(wish: Wish<'pay_invoice'>): Promise<InvoiceView> {
    return engine().call({ call: 'pay_invoice', ...wish });
  },
  refund(wish: Wish<'refund_invoice'>): Promise<InvoiceView> {
    return engine().call({ call: 'refund_invoice', ...wish });
  },
};
