import type { CallOf } from '../engine/calls';
import type { MandatesView } from '../wire/MandatesView';
import type { MandateView } from '../wire/MandateView';
import { engine } from './engine';

/** What is collected again and again, as the node says it: nothing of it is kept here. */
export const mandates = {
  /** A page, the newest first. `shop`: what that one may collect. */
  list(shop: string | null, before: string | null): Promise<MandatesView> {
    return engine().call({ call: 'mandates', shop, mandate: before });
  },
  get(mandate: string): Promise<MandateView> {
    return engine().call({ call: 'mandate', mandate });
  },
  give(wish: Omit<CallOf<'give_mandate'>, 'call'>): Promise<MandateView> {
    return engine().call({ call: 'give_mandate', ...wish });
  },
  /** `period`: the one that is due. */
  collect(mandate: string, period: number, amount: string): Promise<MandateView> {
    return engine().call({ call: 'collect_mandate', mandate, number: period, amount });
  },
  end(mandate: string): Promise<MandateView> {
    return engine().call({ call: 'end_mandate', mandate });
  },
};
