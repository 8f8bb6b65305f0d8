/** Mandates of the small ledger: what creditors may collect, and what came of it. As strict as the node; days are those of UTC. */
import type { CollectionView } from '../wire/CollectionView';
import type { MandateView } from '../wire/MandateView';
import { fail, ME, type FakeEngine } from './fake';
import type { FakeMall } from './fake-shops';

const DAY = 86_400_000;
const PAGE = 256;

export interface FakeMandate {
  mandate: string;
  debtor: string;
  creditor: string;
  asset: string;
  amount: bigint;
  note: string;
  standing: boolean;
  period: string;
  first_day: number;
  last_day: number | null;
  time_ms: number;
  end: { at_ms: number; state: 'ended' | 'given_up' } | null;
  done: Map<number, CollectionView>;
}

export class FakeMandates {
  readonly all: FakeMandate[] = [];

  constructor(readonly mall: FakeMall) {}

  #due(one: FakeMandate, period: number): number {
    if (one.period === 'week') return one.first_day + 7 * period;
    const first = new Date(one.first_day * DAY);
    const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + period + 1, 0)).getUTCDate();
    return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + period, Math.min(first.getUTCDate(), last)) / DAY;
  }

  /** The period in which today is; -1: before the first. */
  #now(one: FakeMandate): number {
    let period = -1;
    while (this.#due(one, period + 1) * DAY <= this.mall.bank.now()) period += 1;
    return period;
  }

  #has(one: FakeMandate, period: number): boolean {
    return one.last_day === null || this.#due(one, period) <= one.last_day;
  }

  #speaks(who: string, creditor: string): boolean {
    const shop = this.mall.shops.find((one) => one.shop === creditor);
    return shop ? shop.owner === who || shop.staff.get(who) === 'manager' : who === creditor;
  }

  give(debtor: string, wish: Omit<FakeMandate, 'mandate' | 'debtor' | 'time_ms' | 'end' | 'done'> & { id: string }): FakeMandate {
    const { bank } = this.mall;
    const { id, ...terms } = wish;
    const had = this.all.find((one) => one.mandate === `m${id}`);
    if (had) return had;
    if (wish.creditor === debtor) throw fail('invalid_field', 'creditor');
    if (!bank.names.has(wish.creditor) && !bank.shops.has(wish.creditor)) throw fail('not_found');
    const made: FakeMandate = { ...terms, mandate: `m${id}`, debtor, time_ms: bank.now(), end: null, done: new Map() };
    this.all.push(made);
    this.round();
    return made;
  }

  /** What the node does by itself. */
  round(): void {
    for (const one of this.all) {
      const period = this.#now(one);
      if (one.standing && !one.end && period >= 0 && this.#has(one, period) && !one.done.get(period)?.transfer) this.#move(one, period, one.amount);
    }
  }

  #move(one: FakeMandate, period: number, amount: bigint): string | null {
    const { bank } = this.mall;
    const transfer = `${one.mandate}-${period}`;
    let refused: string | null = null;
    if (bank.balance(one.debtor, one.asset) < amount) refused = 'insufficient_funds';
    else bank.move({ id: transfer, purpose: 'collection', asset: one.asset, from: one.debtor, to: one.creditor, amount });
    one.done.set(period, { period, day: this.#due(one, period), amount: String(amount), transfer: refused ? null : transfer, time_ms: bank.now(), refused });
    return refused;
  }

  get(who: string, id: string): FakeMandate {
    const found = this.all.find((one) => one.mandate === id);
    const shop = this.mall.shops.find((one) => one.shop === found?.creditor);
    if (!found || (found.debtor !== who && !this.#speaks(who, found.creditor) && !shop?.staff.has(who))) throw fail('not_found');
    return found;
  }

  collect(who: string, id: string, period: number, amount: bigint): FakeMandate {
    const one = this.get(who, id);
    if (!one.standing && !this.#speaks(who, one.creditor)) throw fail('forbidden');
    if (one.end) throw fail('mandate_over');
    if (one.done.get(period)?.transfer) throw fail('already_paid');
    if (this.#now(one) !== period || !this.#has(one, period)) throw fail('not_due');
    if (amount <= 0n || amount > one.amount) throw fail('invalid_field', 'amount');
    const refused = this.#move(one, period, amount);
    if (refused) throw fail(refused);
    return one;
  }

  end(who: string, id: string): FakeMandate {
    const one = this.get(who, id);
    one.end ??= { at_ms: this.mall.bank.now(), state: one.debtor === who ? 'ended' : 'given_up' };
    return one;
  }

  page(who: string, shop: string | null, before: string | null): { mandates: MandateView[]; more: boolean } {
    const all = this.all.filter((one) => (shop === null ? one.debtor === who || one.creditor === who : one.creditor === shop)).reverse();
    const from = before === null ? 0 : all.findIndex((one) => one.mandate === before) + 1;
    return { mandates: all.slice(from, from + PAGE).map((one) => this.view(who, one)), more: all.length > from + PAGE };
  }

  view(who: string, one: FakeMandate): MandateView {
    const { bank } = this.mall;
    const { end, done, amount, creditor, debtor, asset, ...rest } = one;
    const shop = this.mall.shops.find(({ shop: address }) => address === creditor);
    const now = this.#now(one);
    const period = now < 0 ? 0 : done.get(now)?.transfer ? now + 1 : now;
    const over = now >= 0 && !this.#has(one, now);
    const next = end || over || !this.#has(one, period) ? null : period;
    return {
      ...rest,
      debtor: bank.person(debtor),
      creditor: shop ? { user: shop.shop, name: shop.title } : bank.person(creditor),
      shop: shop !== undefined,
      mine: debtor === who,
      asset: bank.asset(asset),
      amount: String(amount),
      count: null,
      state: end?.state ?? (over ? 'over' : 'live'),
      ended_ms: end?.at_ms ?? null,
      next,
      next_day: next === null ? null : this.#due(one, next),
      due: next !== null && next === now,
      collections: [...done.values()].sort((a, b) => b.period - a.period),
    };
  }
}

/** Answers the calls about mandates, for {@link ME}. */
export function answerMandates(engine: FakeEngine, mandates: FakeMandates): FakeEngine {
  const { bank } = mandates.mall;
  const seen = (one: FakeMandate): MandateView => {
    engine.emit({ event: 'wallet' });
    return mandates.view(ME, one);
  };
  return engine
    .on('mandates', ({ shop, mandate }) => mandates.page(ME, shop, mandate))
    .on('mandate', ({ mandate }) => mandates.view(ME, mandates.get(ME, mandate)))
    .on('give_mandate', ({ id, user, asset, amount, note, standing, period, day, last_day, pin }) => {
      bank.unlock(pin);
      return seen(mandates.give(ME, { id, creditor: user, asset, amount: BigInt(amount), note, standing, period, first_day: day, last_day }));
    })
    .on('collect_mandate', ({ mandate, number, amount }) => seen(mandates.collect(ME, mandate, number, BigInt(amount))))
    .on('end_mandate', ({ mandate }) => seen(mandates.end(ME, mandate)));
}

/** Some to look at: the rent, one that has failed, and one that the own bakery collects. */
export function fakeMandates(mall: FakeMall, now: number): FakeMandates {
  const mandates = new FakeMandates(mall);
  if (mall.shops.length === 0) return mandates;
  const asset = mall.bank.assets()[0]?.asset.id ?? '';
  const today = Math.floor(now / DAY);
  const [bob, carol] = ['bob@home.example', 'carol@home.example'];
  const terms = { asset, standing: true, period: 'month', last_day: null };
  mandates.give(ME, { ...terms, id: 'rent', creditor: bob, amount: 1_200n, note: 'Room, Linden street', first_day: today - 70 });
  mandates.give(ME, { ...terms, id: 'dear', creditor: carol, amount: 99_000_000n, note: 'Choir', first_day: today - 2, last_day: today + 300 });
  mandates.give(carol, { ...terms, id: 'bread', creditor: 'bakery@home.example', amount: 2_500n, note: 'Bread of the week', standing: false, period: 'week', first_day: today - 1 });
  return mandates;
}
