/** Escrow of the small ledger: what is held for sellers, and what both sides say of it. As strict as the node. */
import type { EscrowView } from '../wire/EscrowView';
import { fail, ME, type FakeEngine } from './fake';
import type { FakeMall } from './fake-shops';
import { ordering } from './fake-wallet';

const PAGE = 256;

export interface FakeEscrow {
  escrow: string;
  buyer: string;
  seller: string;
  asset: string;
  total: bigint;
  note: string;
  time_ms: number;
  until_ms: number;
  offered: bigint | null;
  asked: bigint | null;
  end: { at_ms: number; to_seller: bigint; expired: boolean } | null;
}

export class FakeEscrows {
  readonly all: FakeEscrow[] = [];

  constructor(readonly mall: FakeMall) {}

  #role(who: string, seller: string): string | undefined {
    const shop = this.mall.shops.find((one) => one.shop === seller);
    if (!shop) return who === seller ? 'owner' : undefined;
    return shop.owner === who ? 'owner' : shop.staff.get(who);
  }

  fund(buyer: string, wish: { id: string; user: string; asset: string; amount: bigint; note: string; due_ms: number }): FakeEscrow {
    const { bank } = this.mall;
    const had = this.all.find((one) => one.escrow === `e${wish.id}`);
    if (had) return had;
    if (wish.user === buyer) throw fail('invalid_field', 'seller');
    if (!bank.names.has(wish.user) && !bank.shops.has(wish.user)) throw fail('not_found');
    if (wish.due_ms < bank.now() + 3_600_000) throw fail('invalid_field', 'until_ms');
    bank.move({ id: wish.id, purpose: 'escrow_fund', asset: wish.asset, from: buyer, to: `e${wish.id}`, amount: wish.amount });
    const made: FakeEscrow = { escrow: `e${wish.id}`, buyer, seller: wish.user, asset: wish.asset, total: wish.amount, note: wish.note, time_ms: bank.now(), until_ms: wish.due_ms, offered: null, asked: null, end: null };
    this.all.push(made);
    return made;
  }

  get(who: string, id: string): FakeEscrow {
    const found = this.all.find((one) => one.escrow === id);
    if (!found || (found.buyer !== who && this.#role(who, found.seller) === undefined)) throw fail('not_found');
    if (!found.end && found.until_ms <= this.mall.bank.now()) this.#end(found, 0n, true);
    return found;
  }

  #end(one: FakeEscrow, toSeller: bigint, expired = false): void {
    const { bank } = this.mall;
    const { escrow, asset, seller, buyer, total } = one;
    if (toSeller > 0n) bank.move({ id: `${escrow}-out`, purpose: 'escrow_release', asset, from: escrow, to: seller, amount: toSeller });
    if (toSeller < total) bank.move({ id: `${escrow}-back`, purpose: 'escrow_return', asset, from: escrow, to: buyer, amount: total - toSeller });
    one.end = { at_ms: bank.now(), to_seller: toSeller, expired };
  }

  settle(who: string, id: string, amount: bigint): FakeEscrow {
    const one = this.get(who, id);
    if (one.buyer !== who) throw fail('not_found');
    if (one.end) throw fail('already_decided');
    if (amount <= 0n || amount > one.total) throw fail('invalid_field', 'amount');
    if (amount === one.total || amount === one.asked) this.#end(one, amount);
    else one.offered = amount;
    return one;
  }

  accept(who: string, id: string, amount: bigint): FakeEscrow {
    const one = this.get(who, id);
    if (!['owner', 'manager'].includes(this.#role(who, one.seller) ?? '')) throw fail('forbidden');
    if (one.end) throw fail('already_decided');
    if (amount >= one.total) throw fail('invalid_field', 'to_seller');
    if (amount === 0n || amount === one.offered) this.#end(one, amount);
    else one.asked = amount;
    return one;
  }

  page(who: string, shop: string | null, before: string | null): { escrows: EscrowView[]; more: boolean } {
    const all = this.all.filter((one) => (shop === null ? one.buyer === who || one.seller === who : one.seller === shop)).reverse();
    const from = before === null ? 0 : all.findIndex((one) => one.escrow === before) + 1;
    return { escrows: all.slice(from, from + PAGE).map((one) => this.view(who, this.get(who, one.escrow))), more: all.length > from + PAGE };
  }

  view(who: string, one: FakeEscrow): EscrowView {
    const { bank } = this.mall;
    const { end, total } = one;
    const shop = this.mall.shops.find(({ shop: address }) => address === one.seller);
    return {
      escrow: one.escrow,
      buyer: bank.person(one.buyer),
      seller: shop ? { user: shop.shop, name: shop.title } : bank.person(one.seller),
      shop: shop !== undefined,
      mine: one.buyer === who,
      asset: bank.asset(one.asset),
      total: String(total),
      note: one.note,
      time_ms: one.time_ms,
      until_ms: one.until_ms,
      state: !end ? 'open' : end.expired ? 'expired' : end.to_seller === total ? 'released' : end.to_seller === 0n ? 'returned' : 'split',
      offered: end || one.offered === null ? null : String(one.offered),
      asked: end || one.asked === null ? null : String(one.asked),
      ended_ms: end?.at_ms ?? null,
      to_seller: String(end?.to_seller ?? 0n),
      transfer: end && end.to_seller > 0n ? `${one.escrow}-out` : null,
      refunded: end && end.to_seller > 0n ? String(bank.refunded(`${one.escrow}-out`)) : '0',
    };
  }
}

/** Answers the calls about escrow, for {@link ME}. */
export function answerEscrows(engine: FakeEngine, escrows: FakeEscrows): FakeEngine {
  const { bank } = escrows.mall;
  const order = ordering(engine, bank);
  const changed = (): void => engine.emit({ event: 'wallet' });
  return engine
    .on('escrows', ({ shop, escrow }) => escrows.page(ME, shop, escrow))
    .on('escrow', ({ escrow }) => escrows.view(ME, escrows.get(ME, escrow)))
    .on('fund_escrow', ({ id, user, asset, amount, note, due_ms, pin }) => {
      const wish = { id, user, asset, amount: BigInt(amount), note, due_ms };
      order({ id, purpose: 'escrow_fund', asset, from: ME, to: `e${id}`, amount: wish.amount }, pin, () => bank.entry((escrows.fund(ME, wish), id)));
      return escrows.view(ME, escrows.get(ME, `e${id}`));
    })
    .on('settle_escrow', ({ escrow, amount, pin }) => {
      bank.unlock(pin);
      const settled = escrows.settle(ME, escrow, BigInt(amount));
      changed();
      return escrows.view(ME, settled);
    })
    .on('refund_escrow', ({ id, escrow, amount, pin }) => {
      const one = escrows.get(ME, escrow);
      if (!one.end || one.end.to_seller === 0n) throw fail('not_found');
      order({ id, purpose: 'refund', asset: one.asset, from: one.seller, to: one.buyer, amount: BigInt(amount), refunds: `${escrow}-out` }, pin);
      return escrows.view(ME, one);
    })
    .on('accept_escrow', ({ escrow, amount }) => {
      const settled = escrows.accept(ME, escrow, BigInt(amount));
      changed();
      return escrows.view(ME, settled);
    });
}

/** Some to look at: one that is bought, one that is sold and of which a part is offered, one for the own bakery. */
export function fakeEscrows(mall: FakeMall, now: number): FakeEscrows {
  const escrows = new FakeEscrows(mall);
  if (mall.shops.length === 0) return escrows;
  const asset = mall.bank.assets()[0]?.asset.id ?? '';
  const day = 86_400_000;
  const [bob, carol] = ['bob@home.example', 'carol@home.example'];
  escrows.fund(ME, { id: 'held-1', user: bob, asset, amount: 4_500n, note: 'Used bicycle', due_ms: now + 9 * day });
  const sold = escrows.fund(bob, { id: 'held-2', user: ME, asset, amount: 1_800n, note: 'Desk lamp', due_ms: now + 5 * day });
  escrows.settle(bob, sold.escrow, 1_200n);
  escrows.fund(carol, { id: 'held-3', user: 'bakery@home.example', asset, amount: 1_500n, note: 'Birthday cake', due_ms: now + 3 * day });
  return escrows;
}
