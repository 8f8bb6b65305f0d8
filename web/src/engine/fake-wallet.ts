/** A small ledger for the specs and the fake world: it moves money as the node does, and refuses what the node refuses. */
import type { AssetView } from '../wire/AssetView';
import type { BodyView } from '../wire/BodyView';
import type { HistoryLineView } from '../wire/HistoryLineView';
import type { IssuedView } from '../wire/IssuedView';
import type { LinkedView } from '../wire/LinkedView';
import type { MessageView } from '../wire/MessageView';
import type { NodeKeyView } from '../wire/NodeKeyView';
import type { PasskeyView } from '../wire/PasskeyView';
import type { PersonView } from '../wire/PersonView';
import type { ReceiptView } from '../wire/ReceiptView';
import type { TransferView } from '../wire/TransferView';
import { CallFailed } from './calls';
import { fail, ME, message, MINUTE, type FakeEngine } from './fake';
import { answerPackets, FakePackets } from './fake-packets';

export const PASSWORD = 'correct horse battery';
export const PIN = '271828';
const DAY = 24 * 60 * MINUTE;
const TRIES = 5;
const NODE = 'node';

export interface Entry {
  number: number;
  id: string;
  time_ms: number;
  purpose: string;
  asset: string;
  /** Addresses; `node`, `packet ID` where it is nobody's. */
  from: string;
  to: string;
  amount: bigint;
  state: 'held' | 'done' | 'returned' | 'expired';
  until_ms: number | null;
  request: string | null;
  refunds: string | null;
  packet: string | null;
  /** When a transfer that waited was accepted. */
  settled_ms?: number;
  settled_by?: number;
}
type Wish = Pick<Entry, 'id' | 'purpose' | 'asset' | 'from' | 'to' | 'amount'> & Partial<Entry>;

interface Issued {
  view: IssuedView;
  issueMax: bigint;
}

export const EUR: AssetView = { id: 'eur', issuer: 'home.example', code: 'EUR', scale: 2 };

export class FakeBank {
  readonly entries: Entry[] = [];
  readonly names = new Map<string, string>([[ME, 'Alice'], ['bob@home.example', 'Bob Okafor'], ['carol@home.example', 'Carol Lindqvist']]);
  readonly frozen = new Set<string>();
  readonly #assets = new Map<string, Issued>();
  /** What a card in a chat stands for: the id of a packet or request, by `chat/message`. */
  readonly cards = new Map<string, BodyView>();
  pin: string | null = null;
  wrong = 0;
  lockedUntil = 0;
  /** What opens the key beside the PIN. */
  passkey: (PasskeyView & { secret: string }) | null = null;
  /** Titles of shops, by address. */
  readonly shops = new Map<string, string>();
  /** The node does it, and its answer is lost. */
  silent = false;
  /** What is shown as not decided. */
  readonly pending = new Map<string, Wish>();
  /** Other servers whose people can be paid. */
  links: LinkedView[] = [];
  /** The node's key, and the one that it shows instead. */
  /** What was taken for a payment, as its receipt has it. */
  readonly feesTaken = new Map<string, string>();
  nodeKey: NodeKeyView = { node: 'home.example', key: '12D3KooWHqFaQ2sXqSbq4oZ3Zc9LhqkDAAWJj5fQ8fXKYy7nTmYp', new_key: null };
  /** How far the node's clock is ahead of the device's, ms. */
  ahead = 0;

  #events = 0;

  constructor(public now: () => number = () => Date.now()) {}

  next(): number {
    this.#events += 1;
    return this.#events;
  }

  define(asset: AssetView, part: Partial<IssuedView> = {}, issueMax = this.#assets.get(asset.id)?.issueMax ?? 0n): this {
    const had = this.#assets.get(asset.id)?.view;
    this.#assets.set(asset.id, { view: { asset, title: asset.code, backing: '', payment_max: '0', day_max: '0', ...had, ...part, issue_max: issueMax.toString(), issued: '0' }, issueMax });
    return this;
  }

  assets(): IssuedView[] {
    return [...this.#assets.values()].map(({ view }) => ({ ...view, issued: (-this.balance(NODE, view.asset.id)).toString() }));
  }

  asset(id: string): AssetView {
    const found = this.#assets.get(id);
    if (!found) throw fail('not_found', 'asset');
    return found.view.asset;
  }

  /** What was booked. */
  balance(who: string, asset: string): bigint {
    return this.#sum(who, asset, 'done', 'to') - this.#sum(who, asset, 'done', 'from');
  }

  held(who: string, asset: string, side: 'from' | 'to'): bigint {
    return this.#sum(who, asset, 'held', side);
  }

  #sum(who: string, asset: string, state: string, side: 'from' | 'to'): bigint {
    return this.entries.filter((entry) => entry.asset === asset && entry.state === state && entry[side] === who).reduce((sum, entry) => sum + entry.amount, 0n);
  }

  /** Moves money. The same id moves it once. */
  move(wish: Wish): Entry {
    const had = this.entries.find((entry) => entry.id === wish.id);
    if (had) {
      if (had.from !== wish.from || had.to !== wish.to || had.amount !== wish.amount || had.asset !== wish.asset) throw fail('id_conflict');
      return had;
    }
    this.#allow(wish);
    const entry: Entry = { number: this.next(), time_ms: this.now(), state: 'done', until_ms: null, request: null, refunds: null, packet: null, ...wish };
    this.entries.push(entry);
    return entry;
  }

  #allow({ asset, from, to, amount, refunds }: Wish): void {
    const issued = this.#assets.get(asset);
    if (!issued) throw fail('not_found', 'asset');
    if (amount <= 0n) throw fail('bad_input', 'amount');
    if (from === to) throw fail('payment_refused');
    if (this.frozen.has(`${from} ${asset}`)) throw fail('account_frozen');
    const paid = from.includes('@') && to !== NODE;
    if (paid && issued.view.payment_max !== '0' && amount > BigInt(issued.view.payment_max)) throw fail('payment_limit');
    if (from === NODE) {
      if (issued.issueMax > 0n && amount - this.balance(NODE, asset) > issued.issueMax) throw fail('insufficient_funds');
    } else if (!from.startsWith('float ') && this.balance(from, asset) - this.held(from, asset, 'from') < amount) throw fail('insufficient_funds');
    if (refunds) this.#refundable(refunds, from, to, amount);
  }

  #refundable(id: string, from: string, to: string, amount: bigint): void {
    const back = this.entry(id);
    // What was held for a while goes back to whoever paid it in.
    const payer = back.purpose === 'escrow_release' ? this.entries.find((one) => one.purpose === 'escrow_fund' && one.to === back.from)?.from : back.from;
    if (back.state !== 'done' || payer !== to || back.to !== from || this.refunded(id) + amount > back.amount) throw fail('payment_refused');
  }

  refunded(id: string): bigint {
    return this.entries.filter((entry) => entry.refunds === id && entry.state === 'done').reduce((sum, entry) => sum + entry.amount, 0n);
  }

  entry(id: string): Entry {
    const found = this.entries.find((one) => one.id === id);
    if (!found) throw fail('not_found');
    if (found.state === 'held' && found.until_ms !== null && found.until_ms <= this.now()) found.state = 'expired';
    return found;
  }

  answer(who: string, id: string, accept: boolean): Entry {
    const entry = this.entry(id);
    if (entry.to !== who) throw fail('forbidden');
    const state = accept ? 'done' : 'returned';
    if (entry.state !== 'held' && entry.state !== state) throw fail('already_decided');
    if (accept && entry.state === 'held') Object.assign(entry, { settled_ms: this.now(), settled_by: this.next() });
    entry.state = state;
    return entry;
  }

  /** As the device does: a few wrong ones, then a wait. */
  unlock(pin: string): void {
    if (this.pin === null) throw fail('no_pin');
    if (pin.startsWith('prf:')) {
      if (pin !== `prf:${this.passkey?.secret}`) throw fail('wrong_passkey', 'pin');
      return;
    }
    const wait = this.lockedUntil - this.now();
    if (wait > 0) throw locked(wait);
    if (pin === this.pin) {
      this.wrong = 0;
      return;
    }
    this.wrong += 1;
    if (this.wrong < TRIES) throw fail('wrong_pin', 'pin');
    this.lockedUntil = this.now() + MINUTE * 2 ** (this.wrong - TRIES);
    throw locked(this.lockedUntil - this.now());
  }

  /** What the node has signed, where this device has paid. */
  receipt(id: string): ReceiptView {
    const entry = this.entry(id);
    if (entry.from !== ME) throw fail('not_found');
    return { transfer: id, node: 'home.example', key: this.nodeKey.key, current: true, number: entry.number, time_ms: entry.time_ms, asset: entry.asset, amount: entry.amount.toString(), fee: this.feesTaken.get(id) ?? '0', state: entry.state, signed: '776566742f', signature: 'ab'.repeat(64), order_signed: '776566742f', order_signature: 'cd'.repeat(64) };
  }

  person(user: string): PersonView {
    return { user, name: this.shops.get(user) ?? this.names.get(user) ?? user.split('@')[0] ?? user };
  }

  view(entry: Entry): TransferView {
    return {
      id: entry.id,
      payer: this.person(entry.from),
      payee: this.person(entry.to),
      mine: entry.from === ME,
      asset: this.asset(entry.asset),
      amount: entry.amount.toString(),
      refunded: this.refunded(entry.id).toString(),
      request: entry.request,
      shop: this.shops.get(entry.to) ?? this.shops.get(entry.from) ?? null,
      state: entry.state,
      time_ms: entry.time_ms,
      until_ms: entry.until_ms,
    };
  }

  line(entry: Entry): HistoryLineView {
    const credit = entry.to === ME;
    const other = credit ? entry.from : entry.to;
    return {
      number: entry.number,
      transfer: entry.id,
      time_ms: entry.time_ms,
      purpose: entry.purpose,
      credit,
      amount: entry.amount.toString(),
      other: other.includes('@') ? this.person(other) : null,
      shop: this.shops.get(other) ?? null,
      packet: entry.packet,
      refunds: entry.refunds,
      refunded: this.refunded(entry.id).toString(),
      state: this.entry(entry.id).state,
      until_ms: entry.until_ms,
      ...(entry.settled_ms === undefined ? {} : { settled_ms: entry.settled_ms, settled_by: entry.settled_by }),
    };
  }

  /** Accounts of {@link ME}: of what they ever had. */
  assetsOf(): string[] {
    return [...this.#assets.keys()].filter((asset) => this.entries.some((entry) => entry.asset === asset && (entry.from === ME || entry.to === ME)));
  }
}

function locked(wait: number): CallFailed {
  return new CallFailed({ code: 'pin_locked', message: 'locked', field: 'pin', retry_after_ms: wait });
}

interface Options {
  /** Lines of a page of the history. */
  page?: number;
  /** Where a card goes that the engine puts into a chat. */
  say?: (chat: string, body: BodyView) => MessageView;
  packets?: FakePackets;
}

/** Signs and sends an order. Whether its answer is lost or not, it is done once. */
export function ordering(engine: FakeEngine, bank: FakeBank) {
  return (wish: Wish, pin: string, move: () => Entry = () => bank.move(wish)): Entry => {
    bank.unlock(pin);
    const entry = move();
    if (bank.silent) bank.pending.set(wish.id, wish);
    engine.emit({ event: 'wallet' });
    if (bank.silent) throw fail('payment_unsure');
    return entry;
  };
}

/** Answers the calls about money, for {@link ME}, from a bank. */
export function answerWallet(engine: FakeEngine, bank: FakeBank, { page = 256, say, packets = new FakePackets(bank) }: Options = {}): FakeEngine {
  let said = 0;
  const put = (chat: string, body: BodyView): MessageView => {
    const card = say?.(chat, body) ?? message(`card-${(said += 1)}`, 1_000 + said, { mine: true, body, time_ms: bank.now() });
    bank.cards.set(`${chat}/${card.id}`, body);
    if (!say) engine.emit({ event: 'messages', value: { chat, messages: [card] } });
    return card;
  };
  const changed = (): void => engine.emit({ event: 'wallet' });
  const order = ordering(engine, bank);

  return answerPackets(engine, packets)
    .on('wallet', () => ({
      accounts: bank.assetsOf().map((asset) => {
        const [balance, outgoing] = [bank.balance(ME, asset), bank.held(ME, asset, 'from')];
        return {
          id: `account-${asset}`,
          asset: bank.asset(asset),
          title: bank.assets().find((one) => one.asset.id === asset)?.title ?? '',
          balance: balance.toString(),
          available: (balance - outgoing).toString(),
          incoming: bank.held(ME, asset, 'to').toString(),
          outgoing: outgoing.toString(),
          frozen: bank.frozen.has(`${ME} ${asset}`),
        };
      }),
      assets: bank.assets(),
      pin: bank.pin !== null,
      pending: [...bank.pending.values()].map((wish) => ({ id: wish.id, asset: wish.asset, amount: wish.amount.toString(), user: wish.to.includes('@') ? wish.to : null, ...(wish.refunds ? { refunds: wish.refunds } : {}) })),
      links: bank.links,
      node_time_ms: Date.now() + bank.ahead,
    }))
    .on('set_pin', ({ pin, password }) => {
      if (!/^\d{6}$/.test(pin)) throw fail('bad_input', 'pin');
      if (password !== PASSWORD) throw fail('wrong_credentials', 'password');
      bank.pin = pin;
      bank.wrong = bank.lockedUntil = 0;
      bank.passkey = null;
      return undefined;
    })
    .on('passkey', () => bank.passkey && { id: bank.passkey.id, salt: bank.passkey.salt })
    .on('set_passkey', ({ id, salt, secret, pin }) => {
      if (!/^\d{6}$/.test(pin)) throw fail('wrong_pin', 'pin');
      bank.unlock(pin);
      bank.passkey = { id, salt, secret };
      return undefined;
    })
    .on('forget_passkey', () => {
      bank.passkey = null;
      return undefined;
    })
    .on('pay', ({ id, user, asset, amount, note, hold, chat, request, refunds, pin }) => {
      const entry = order({ id, purpose: refunds ? 'refund' : hold ? 'transfer' : 'payment', asset, from: ME, to: user, amount: BigInt(amount), state: hold ? 'held' : 'done', until_ms: hold ? bank.now() + DAY : null, request, refunds }, pin);
      if (chat) put(chat, request ? { kind: 'paid', request, transfer: id, asset: bank.asset(asset), amount } : { kind: 'transfer', transfer: id, asset: bank.asset(asset), amount, note });
      return bank.view(entry);
    })
    .on('receipt', ({ id }) => bank.receipt(id))
    .on('node_key', () => bank.nodeKey)
    .on('accept_node_key', ({ print }) => {
      if (bank.nodeKey.new_key !== print) throw fail('bad_input', 'print');
      bank.nodeKey = { ...bank.nodeKey, key: print, new_key: null };
      changed();
      return bank.nodeKey;
    })
    .on('transfer', ({ id }) => bank.view(bank.entry(id)))
    .on('answer_transfer', ({ id, accept }) => {
      const entry = bank.answer(ME, id, accept);
      changed();
      return bank.view(entry);
    })
    .on('wallet_history', ({ account, before }) => {
      const asset = account.replace(/^account-/, '');
      const place = (entry: Entry): number => entry.settled_by ?? entry.number;
      const mine = bank.entries.filter((entry) => entry.asset === asset && (entry.from === ME || entry.to === ME) && (before === null || place(entry) < before));
      const all = mine.sort((a, b) => place(b) - place(a));
      return { account, lines: all.slice(0, page).map((entry) => bank.line(entry)), more: all.length > page };
    })
    .on('send_packet', ({ id, chat, asset, amount, shares, lucky, greeting, cover, only, pin }) => {
      const total = BigInt(amount);
      const give = (): Entry => bank.entry(packets.give({ id, maker: ME, asset, total, shares, lucky, only }).id);
      order({ id, purpose: 'red packet', asset, from: ME, to: `packet ${id}`, amount: total, packet: id }, pin, give);
      put(chat, { kind: 'packet', packet: id, greeting, cover, only: only ? bank.person(only) : null });
      return undefined;
    })
    .on('ask_money', ({ chat, asset, parts, total, note }) => put(chat, { kind: 'request', request: `r${bank.cards.size}`, asset: bank.asset(asset), parts: parts.map(([user, part]) => ({ person: bank.person(user), amount: part, paid: null })), total, note }))
    .on('request', ({ chat, id }) => {
      const card = bank.cards.get(`${chat}/${id}`);
      if (card?.kind !== 'request') throw fail('not_found');
      const paid = (user: string): string | null => bank.entries.find((entry) => entry.request === card.request && entry.from === user && entry.state === 'done')?.id ?? null;
      return { request: card.request, parts: card.parts.map((part) => ({ ...part, paid: paid(part.person.user) })) };
    })
    .on('define_asset', ({ code, scale, title, backing, payment_max, day_max, issue_max }) => {
      if (!/^[A-Z][A-Z0-9]{1,11}$/.test(code)) throw fail('bad_input', 'code');
      if (!title.trim()) throw fail('invalid_field', 'title');
      const had = bank.assets().find((one) => one.asset.code === code);
      if (had && had.asset.scale !== scale) throw fail('invalid_field', 'scale');
      bank.define(had?.asset ?? { id: code.toLowerCase(), issuer: 'home.example', code, scale }, { title, backing, payment_max, day_max, issue_max }, BigInt(issue_max));
      return undefined;
    })
    .on('issue', ({ id, user, asset, amount, redeem }) => {
      if (!user.endsWith('@home.example')) throw fail('not_found');
      bank.move({ id, purpose: redeem ? 'redeem' : 'issue', asset, from: redeem ? user : NODE, to: redeem ? NODE : user, amount: BigInt(amount) });
      changed();
      return undefined;
    })
    .on('freeze_account', ({ user, asset, frozen }) => {
      if (!bank.entries.some((entry) => entry.asset === asset && (entry.from === user || entry.to === user))) throw fail('not_found');
      bank.frozen[frozen ? 'add' : 'delete'](`${user} ${asset}`);
      changed();
      return undefined;
    });
}
