import type { CallOf } from '../engine/calls';
import type { ChargeView } from '../wire/ChargeView';
import type { CodeStateView } from '../wire/CodeStateView';
import type { PayCodeView } from '../wire/PayCodeView';
import type { SalesView } from '../wire/SalesView';
import type { SaleView } from '../wire/SaleView';
import type { ScannedView } from '../wire/ScannedView';
import type { ShopView } from '../wire/ShopView';
import type { SignView } from '../wire/SignView';
import type { TransferView } from '../wire/TransferView';
import { engine } from './engine';
import { errorCode } from './errors';
import { purse } from './purse.svelte';

type Wish<N extends CallOf<'sell' | 'pay_shop' | 'charge' | 'refund_sale' | 'pay_out' | 'open_shop' | 'show_code'>['call']> = Omit<CallOf<N>, 'call'>;
/** What a shop says of itself, as far as it changes. */
export type Change = Partial<Omit<CallOf<'change_shop'>, 'call' | 'shop'>>;

/** The shops that one has or works in, and what is paid there. */
class Shops {
  #all = $state.raw<ShopView[]>([]);
  /** Where one has something to do. */
  readonly list: ShopView[] = $derived(this.#all.filter((shop) => !shop.invited));
  /** Where one is asked to work, and has not agreed. */
  readonly invitations: ShopView[] = $derived(this.#all.filter((shop) => shop.invited));
  loaded = $state(false);
  /** Code of what went wrong when they were asked for last. */
  failed = $state<string | null>(null);
  /** Counts what was asked: an answer that was overtaken is thrown away. */
  #asked = 0;

  constructor() {
    purse.forget.add(() => this.clear());
  }

  clear(): void {
    this.#asked += 1;
    this.#all = [];
    this.loaded = false;
    this.failed = null;
  }

  async load(): Promise<void> {
    const asked = (this.#asked += 1);
    try {
      const list = await engine().call({ call: 'shops' });
      if (asked !== this.#asked) return;
      this.#all = list;
      this.loaded = true;
      this.failed = null;
    } catch (error) {
      if (asked === this.#asked) this.failed = errorCode(error) ?? 'internal';
    }
  }

  /** By the left half of its address, as it stands in the path. */
  named(name: string): ShopView | undefined {
    return this.list.find(({ shop }) => shop.startsWith(`${name}@`));
  }

  async open(wish: Wish<'open_shop'>): Promise<ShopView> {
    return this.#take(await engine().call({ call: 'open_shop', ...wish }));
  }

  async change(shop: string, part: Change): Promise<ShopView> {
    return this.#take(await engine().call({ call: 'change_shop', shop, title: null, merchant_name: null, city: null, country: null, mcc: null, open: null, ...part }));
  }

  /** Answers that one was asked to work there. */
  async join(shop: string, accept: boolean): Promise<void> {
    const joined = (await engine().call({ call: 'join_shop', shop, accept })) as ShopView | undefined;
    if (joined) this.#take(joined);
    else await this.load();
  }

  /** `role`: none, and they work there no more. Whoever lets themselves go is told nothing of the shop any more. */
  async staff(shop: string, user: string, role: string | null): Promise<void> {
    const changed = (await engine().call({ call: 'set_staff', shop, user, role })) as ShopView | undefined;
    if (changed) this.#take(changed);
    else await this.load();
  }

  #take(changed: ShopView): ShopView {
    // What was asked for before knows nothing of it.
    this.#asked += 1;
    this.#all = [...this.#all.filter(({ shop }) => shop !== changed.shop), changed].sort((a, b) => (a.shop < b.shop ? -1 : 1));
    this.loaded = true;
    return changed;
  }

  sell(wish: Wish<'sell'>): Promise<SaleView> {
    return engine().call({ call: 'sell', ...wish });
  }

  sale(shop: string, sale: string): Promise<SaleView> {
    return engine().call({ call: 'sale', shop, sale });
  }

  cancel(shop: string, sale: string): Promise<SaleView> {
    return engine().call({ call: 'cancel_sale', shop, sale });
  }

  sales(shop: string, before: string | null): Promise<SalesView> {
    return engine().call({ call: 'sales', shop, sale: before });
  }

  charge(wish: Wish<'charge'>): Promise<SaleView> {
    return engine().call({ call: 'charge', ...wish });
  }

  /** Charges of this device whose answer was lost. */
  charges(shop: string): Promise<ChargeView[]> {
    return engine().call({ call: 'charges', shop });
  }

  chargeAgain(id: string): Promise<SaleView> {
    return engine().call({ call: 'charge_again', id });
  }

  refund(wish: Wish<'refund_sale'>): Promise<SaleView> {
    return engine().call({ call: 'refund_sale', ...wish });
  }

  async payOut(wish: Wish<'pay_out'>): Promise<void> {
    await engine().call({ call: 'pay_out', ...wish });
    await this.load();
  }

  sign(shop: string, asset: string, till: string | null): Promise<SignView> {
    return engine().call({ call: 'shop_sign', shop, asset, till });
  }

  read(text: string): Promise<ScannedView> {
    return engine().call({ call: 'read_code', text });
  }

  pay(wish: Wish<'pay_shop'>): Promise<TransferView> {
    return engine().call({ call: 'pay_shop', ...wish });
  }

  showCode(wish: Wish<'show_code'>): Promise<PayCodeView> {
    return engine().call({ call: 'show_code', ...wish });
  }

  codeState(id: string): Promise<CodeStateView> {
    return engine().call({ call: 'code_state', id });
  }
}

export const shops = new Shops();
