import type { CallOf } from '../engine/calls';
import type { EscrowsView } from '../wire/EscrowsView';
import type { EscrowView } from '../wire/EscrowView';
import { engine } from './engine';

/** Money that is held for sellers, as the node says that it is: nothing of it is kept here. */
export const escrows = {
  /** A page, the newest first. `shop`: what is held for that one. */
  list(shop: string | null, before: string | null): Promise<EscrowsView> {
    return engine().call({ call: 'escrows', shop, escrow: before });
  },
  get(escrow: string): Promise<EscrowView> {
    return engine().call({ call: 'escrow', escrow });
  },
  fund(wish: Omit<CallOf<'fund_escrow'>, 'call'>): Promise<EscrowView> {
    return engine().call({ call: 'fund_escrow', ...wish });
  },
  settle(wish: Omit<CallOf<'settle_escrow'>, 'call'>): Promise<EscrowView> {
    return engine().call({ call: 'settle_escrow', ...wish });
  },
  refund(wish: Omit<CallOf<'refund_escrow'>, 'call'>): Promise<EscrowView> {
    return engine().call({ call: 'refund_escrow', ...wish });
  },
  accept(escrow: string, amount: string): Promise<EscrowView> {
    return engine().call({ call: 'accept_escrow', escrow, amount });
  },
};
