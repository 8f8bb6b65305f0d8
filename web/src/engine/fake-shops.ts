/** Shops of the small ledger: who works there, what was sold, and who has paid it. As strict as the node. */
import type { ChargeView } from '../wire/ChargeView';
import type { PersonView } from '../wire/PersonView';
import type { SaleView } from '../wire/SaleView';
import type { ShopView } from '../wire/ShopView';
import { fail, ME, MINUTE } from './fake';
import { PAY, payCode, payDigits, sealed } from './fake-codes';
import type { Entry, FakeBank } from './fake-wallet';

const NODE = 'home.example';
const SALE_MS = 10 * MINUTE;
const CODE_MS = MINUTE;
const PAGE = 256;
const WRONG_MAX = 5;
const ASCII = /^[\x20-\x7e]*$/;

export interface FakeShop {
  shop: string;
  title: string;
  merchant_name: string;
  city: string;
  country: string;
  mcc: number;
  open: boolean;
  owner: string;
  staff: Map<string, string>;
  /** Those of them who have not agreed. */
  invited: Set<string>;
  /** The node's owner has closed it. */
  stopped: boolean;
  /** Wrong codes that were tried there. */
  wrong: number;
}

export interface FakeSale {
  sale: string;
  shop: string;
  asset: string;
  amount: bigint;
  tip_allowed: boolean;
  bill: string;
  till: string | null;
  kind: 'dynamic' | 'static' | 'code';
  cancelled: boolean;
  time_ms: number;
  until_ms: number | null;
  by: string | null;
  transfer: string | null;
  tip: bigint;
  refused?: string;
}

export interface FakeCode {
  id: string;
  payer: string;
  asset: string;
  cap: bigint;
  until_ms: number;
  transfer: string | null;
}

type Details = Pick<FakeShop, 'title' | 'merchant_name' | 'city' | 'country' | 'mcc'>;

export class FakeMall {
  readonly shops: FakeShop[] = [];
  readonly sales: FakeSale[] = [];
  readonly codes: FakeCode[] = [];
  /** Charges of this device whose answer was lost. */
  readonly lost: ChargeView[] = [];
  /** What another server answers to a charge: the code of why not, `pays`, or nothing at all. */
  far: string | null = null;

  constructor(readonly bank: FakeBank) {}

  shop(address: string): FakeShop {
    if (!address.endsWith(`@${NODE}`)) throw fail('other_node');
    const found = this.shops.find((one) => one.shop === address);
    if (!found) throw fail('not_found');
    return found;
  }

  role(who: string, shop: FakeShop): string {
    const role = shop.owner === who ? 'owner' : shop.invited.has(who) ? undefined : shop.staff.get(who);
    // Whoever does not work there learns nothing of it.
    if (!role) throw fail('not_found');
    return role;
  }

  #managed(who: string, address: string): FakeShop {
    const shop = this.shop(address);
    if (this.role(who, shop) === 'cashier') throw fail('forbidden');
    return shop;
  }

  found(owner: string, name: string, details: Details): FakeShop {
    const address = `${name}@${NODE}`;
    if (!/^[a-z0-9][a-z0-9._-]{1,31}$/.test(name)) throw fail('invalid_field', 'name');
    if (this.bank.names.has(address) || this.shops.some((one) => one.shop === address)) throw fail('name_taken');
    if (this.shops.filter((one) => one.owner === owner).length >= 8) throw fail('too_many');
    this.#check(details);
    const shop: FakeShop = { shop: address, ...details, open: true, owner, staff: new Map(), invited: new Set(), stopped: false, wrong: 0 };
    this.shops.push(shop);
    this.bank.shops.set(address, details.title);
    return shop;
  }

  change(who: string, address: string, part: { [K in keyof Details]: Details[K] | null } & { open: boolean | null }): FakeShop {
    const shop = this.#managed(who, address);
    const said = Object.fromEntries(Object.entries(part).filter(([, value]) => value !== null));
    const next = { ...shop, ...said };
    this.#check(next);
    Object.assign(shop, next);
    this.bank.shops.set(address, shop.title);
    return shop;
  }

  #check({ title, merchant_name, city, country, mcc }: Details): void {
    if (!title.trim() || [...title].length > 64) throw fail('invalid_field', 'title');
    if (!merchant_name.trim() || merchant_name.length > 25 || !ASCII.test(merchant_name)) throw fail('invalid_field', 'merchant_name');
    if (!city.trim() || city.length > 15 || !ASCII.test(city)) throw fail('invalid_field', 'city');
    if (!/^[A-Z]{2}$/.test(country)) throw fail('invalid_field', 'country');
    if (!Number.isInteger(mcc) || mcc < 0 || mcc > 9999) throw fail('invalid_field', 'mcc');
  }

  staff(who: string, address: string, user: string, role: string | null): FakeShop {
    const shop = this.#managed(who, address);
    if (!this.bank.names.has(user) || user === shop.owner) throw fail('invalid_field', 'staff');
    if (role === null) shop.staff.delete(user);
    else if (shop.staff.size >= 64) throw fail('too_many');
    else shop.staff.set(user, role);
    if (role === null) shop.invited.delete(user);
    return shop;
  }

  /** The same as the node does it: whoever is new is asked first. */
  invite(who: string, address: string, user: string, role: string | null): FakeShop {
    const known = this.shop(address).staff.has(user);
    const shop = user === who && role === null ? this.shop(address) : this.staff(who, address, user, role);
    if (user === who && role === null) shop.staff.delete(user);
    else if (!known && role !== null) shop.invited.add(user);
    return shop;
  }

  join(who: string, address: string, accept: boolean): void {
    const shop = this.shop(address);
    if (!shop.invited.delete(who)) throw fail('not_found');
    if (!accept) shop.staff.delete(who);
  }

  sell(who: string, wish: { id: string; shop: string; asset: string; amount: bigint; bill: string; tip_allowed: boolean; lifetime: number | null }): FakeSale {
    const had = this.sales.find((one) => one.sale === wish.id);
    if (had) {
      if (had.amount !== wish.amount || had.shop !== wish.shop || had.bill !== wish.bill) throw fail('id_conflict');
      return had;
    }
    const shop = this.shop(wish.shop);
    this.role(who, shop);
    if (!shop.open || shop.stopped) throw fail('shop_closed');
    this.bank.asset(wish.asset);
    if (wish.amount <= 0n) throw fail('invalid_field', 'amount');
    if (wish.bill.length > 25 || !ASCII.test(wish.bill)) throw fail('invalid_field', 'bill');
    const now = this.bank.now();
    return this.#add({ sale: wish.id, shop: wish.shop, asset: wish.asset, amount: wish.amount, bill: wish.bill, tip_allowed: wish.tip_allowed, kind: 'dynamic', by: who, until_ms: now + (wish.lifetime === null ? SALE_MS : wish.lifetime * 1_000) });
  }

  #add(part: Partial<FakeSale> & Pick<FakeSale, 'sale' | 'shop' | 'asset' | 'amount' | 'kind'>): FakeSale {
    const sale: FakeSale = { tip_allowed: false, bill: '', till: null, cancelled: false, time_ms: this.bank.now(), until_ms: null, by: null, transfer: null, tip: 0n, ...part };
    this.sales.push(sale);
    return sale;
  }

  sale(who: string, shop: string, id: string): FakeSale {
    this.role(who, this.shop(shop));
    const found = this.sales.find((one) => one.sale === id && one.shop === shop);
    if (!found) throw fail('not_found');
    return found;
  }

  cancel(who: string, shop: string, id: string): FakeSale {
    const sale = this.sale(who, shop, id);
    if (sale.transfer !== null) throw fail('already_paid');
    sale.cancelled = true;
    return sale;
  }

  state(sale: FakeSale): 'open' | 'paid' | 'expired' | 'cancelled' {
    if (sale.transfer !== null) return 'paid';
    if (sale.cancelled) return 'cancelled';
    return sale.until_ms !== null && sale.until_ms <= this.bank.now() ? 'expired' : 'open';
  }

  pay(who: string, wish: { id: string; shop: string; asset: string; amount: bigint; tip: bigint; sale: string | null; till: string | null }): Entry {
    const had = this.bank.entries.find((one) => one.id === wish.id);
    if (!had) this.#payable(wish);
    const entry = this.bank.move({ id: wish.id, purpose: 'payment', asset: wish.asset, from: who, to: wish.shop, amount: wish.amount + wish.tip });
    if (had) return entry;
    const sale = this.sales.find((one) => one.sale === wish.sale) ?? this.#add({ sale: `s${wish.id}`, shop: wish.shop, asset: wish.asset, amount: wish.amount, till: wish.till, kind: 'static' });
    sale.transfer = entry.id;
    sale.tip = wish.tip;
    return entry;
  }

  #payable({ shop: address, asset, amount, tip, sale: id }: { shop: string; asset: string; amount: bigint; tip: bigint; sale: string | null }): void {
    if (!this.shop(address).open) throw fail('shop_closed');
    if (tip < 0n) throw fail('invalid_field', 'tip');
    if (id === null) return;
    const sale = this.sales.find((one) => one.sale === id && one.shop === address);
    if (!sale) throw fail('not_found');
    const state = this.state(sale);
    if (state === 'paid') throw fail('already_paid');
    if (state !== 'open') throw fail('sale_over');
    if (sale.asset !== asset || sale.amount !== amount || (tip > 0n && !sale.tip_allowed)) throw fail('invalid_field', 'amount');
  }

  show(payer: string, asset: string, cap: bigint): FakeCode {
    const account = this.bank.balance(payer, asset) - this.bank.held(payer, asset, 'from');
    if (cap <= 0n) throw fail('invalid_field', 'cap');
    if (cap > account) throw fail('insufficient_funds');
    const most = this.bank.assets().find((one) => one.asset.id === asset)?.payment_max ?? '0';
    if (most !== '0' && cap > BigInt(most)) throw fail('payment_limit');
    // A new one takes the place of the last one.
    for (const old of this.codes) if (old.payer === payer && old.transfer === null) old.until_ms = 0;
    const code: FakeCode = { id: (this.codes.length + 1).toString(16).padStart(32, '0'), payer, asset, cap, until_ms: this.bank.now() + CODE_MS, transfer: null };
    this.codes.push(code);
    return code;
  }

  charge(who: string, wish: { id: string; shop: string; code: string; asset: string; amount: bigint; bill: string }): FakeSale {
    const had = this.sales.find((one) => one.sale === wish.id);
    if (had) return had;
    const shop = this.shop(wish.shop);
    this.role(who, shop);
    if (!shop.open || shop.stopped) throw fail('shop_closed');
    if (wish.code.startsWith(PAY) && !wish.code.startsWith(`${PAY}${NODE}/`)) {
      const { id: sale, shop: at, asset, amount, bill } = wish;
      return this.answered(this.#add({ sale, shop: at, asset, amount, bill, kind: 'code', by: who, until_ms: this.bank.now() + 2 * CODE_MS }));
    }
    if (shop.wrong >= WRONG_MAX) throw fail('rate_limited');
    const typed = wish.code.replace(/[\s-]/g, '');
    const code = this.codes.find((one) => payCode(one.id) === wish.code.trim() || payDigits(one.id) === typed);
    if (!code || code.transfer !== null || code.until_ms <= this.bank.now() || code.asset !== wish.asset) {
      shop.wrong += 1;
      throw fail('code_invalid', 'code');
    }
    if (wish.amount > code.cap) throw fail('code_limit', 'amount');
    const entry = this.bank.move({ id: `c${wish.id}`, purpose: 'payment', asset: wish.asset, from: code.payer, to: wish.shop, amount: wish.amount });
    code.transfer = entry.id;
    shop.wrong = 0;
    return this.#add({ sale: wish.id, shop: wish.shop, asset: wish.asset, amount: wish.amount, bill: wish.bill, kind: 'code', by: who, transfer: entry.id });
  }

  /** A customer's server, another one, is asked; it pays at once if it does. */
  answered(sale: FakeSale): FakeSale {
    if (this.state(sale) !== 'open' || this.far === null) return sale;
    if (this.far === 'pays') {
      sale.transfer = this.bank.move({ id: `c${sale.sale}`, purpose: 'issue', asset: sale.asset, from: 'node', to: sale.shop, amount: sale.amount }).id;
      return sale;
    }
    Object.assign(sale, { cancelled: true, refused: this.far });
    throw fail(this.far);
  }

  refund(who: string, { id, shop: address, sale: of, amount }: { id: string; shop: string; sale: string; amount: bigint }): Entry {
    const sale = this.sale(who, address, of);
    if (sale.transfer === null) throw fail('payment_refused');
    const paid = this.bank.entry(sale.transfer);
    const today = new Date(paid.time_ms).toDateString() === new Date(this.bank.now()).toDateString();
    if (this.role(who, this.shop(address)) === 'cashier' && !today) throw fail('forbidden');
    return this.bank.move({ id, purpose: 'refund', asset: sale.asset, from: address, to: paid.from, amount, refunds: paid.id });
  }

  payOut(who: string, { id, shop, asset, amount }: { id: string; shop: string; asset: string; amount: bigint }): Entry {
    const { owner } = this.#managed(who, shop);
    return this.bank.move({ id, purpose: 'payment', asset, from: shop, to: owner, amount });
  }

  page(who: string, shop: string, before: string | null): { sales: SaleView[]; more: boolean } {
    this.role(who, this.shop(shop));
    const all = this.sales.filter((one) => one.shop === shop).reverse();
    const from = before === null ? 0 : all.findIndex((one) => one.sale === before) + 1;
    if (before !== null && from === 0) throw fail('not_found');
    return { sales: all.slice(from, from + PAGE).map((one) => this.saleView(one)), more: all.length > from + PAGE };
  }

  shopView(who: string, shop: FakeShop): ShopView {
    const invited = shop.invited.has(who);
    const role = invited ? (shop.staff.get(who) ?? '') : this.role(who, shop);
    const person = (user: string): PersonView => this.bank.person(user);
    const { shop: address, title, merchant_name, city, country, mcc, open } = shop;
    const ever = this.bank.assets().filter(({ asset }) => this.bank.entries.some((entry) => entry.to === address && entry.asset === asset.id));
    const accounts = ever.map(({ asset, title: of }) => {
      const balance = this.bank.balance(address, asset.id).toString();
      return { id: `account-${address}-${asset.id}`, asset, title: of, balance, available: balance, incoming: '0', outgoing: '0', frozen: this.bank.frozen.has(`${address} ${asset.id}`) };
    });
    return { shop: address, title, merchant_name, city, country, mcc, open: open && !shop.stopped, stopped: shop.stopped, invited, role, owner: person(shop.owner), staff: invited ? [] : [...shop.staff].map(([user, as]) => ({ person: person(user), role: as, invited: shop.invited.has(user) })), accounts: invited || role === 'cashier' ? [] : accounts };
  }

  saleView(sale: FakeSale): SaleView {
    const state = this.state(sale);
    const paid = sale.transfer === null ? null : this.bank.entry(sale.transfer);
    const open = state === 'open';
    return {
      sale: sale.sale,
      shop: sale.shop,
      asset: this.bank.asset(sale.asset),
      amount: sale.amount.toString(),
      tip_allowed: sale.tip_allowed,
      bill: sale.bill,
      till: sale.till,
      kind: sale.kind,
      state,
      time_ms: sale.time_ms,
      until_ms: open ? sale.until_ms : null,
      code: open && sale.kind === 'dynamic' ? sealed({ shop: sale.shop, asset: sale.asset, sale: sale.sale }) : null,
      by: sale.by ? this.bank.person(sale.by) : null,
      paid: paid && { payer: this.bank.person(paid.from), transfer: paid.id, time_ms: paid.time_ms, tip: sale.tip.toString(), refunded: this.bank.refunded(paid.id).toString(), at_rate: false },
      refused: sale.refused ?? null,
    };
  }

  /** For {@link ME}. */
  mine(): ShopView[] {
    return this.shops.filter((one) => one.owner === ME || one.staff.has(ME)).map((one) => this.shopView(ME, one)).sort((a, b) => (a.shop < b.shop ? -1 : 1));
  }
}
