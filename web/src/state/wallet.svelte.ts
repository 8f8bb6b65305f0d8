import { SvelteMap } from 'svelte/reactivity';
import type { CallOf } from '../engine/calls';
import type { AccountView } from '../wire/AccountView';
import type { AssetView } from '../wire/AssetView';
import type { Event } from '../wire/Event';
import type { HistoryView } from '../wire/HistoryView';
import type { IssuedView } from '../wire/IssuedView';
import type { LinkedView } from '../wire/LinkedView';
import type { MessageView } from '../wire/MessageView';
import type { NodeKeyView } from '../wire/NodeKeyView';
import type { PacketView } from '../wire/PacketView';
import type { PendingView } from '../wire/PendingView';
import type { ReceiptView } from '../wire/ReceiptView';
import type { RequestView } from '../wire/RequestView';
import type { TransferView } from '../wire/TransferView';
import { engine } from './engine';
import { errorCode } from './errors';
import { purse } from './purse.svelte';
import { session } from './session.svelte';

/** What says for certain that nothing was paid. After everything else the same form goes out again with the same id. */
const REFUSED = ['insufficient_funds', 'payment_limit', 'fee_too_low', 'account_frozen', 'payment_refused', 'order_stale', 'not_found', 'forbidden', 'bad_input', 'invalid_field', 'malformed', 'already_paid', 'charge_unsure', 'sale_over', 'invoice_cancelled', 'shop_closed', 'code_invalid', 'code_limit', 'other_node', 'no_link', 'link_frozen', 'link_limit', 'agent_limit', 'rate_changed'];

/** Whoever looks anew all the time is answered so often. */
const REFRESH_MS = 3_000;

/** What the node says of something; while it has said nothing yet: neither. What was said is kept when it cannot be asked again. */
export interface Looked<T> {
  value: T | null;
  /** Code of the last answer, if that was none: `not_found`, `offline`. */
  error: string | null;
}

/**
 * 32 hexadecimal digits: names one payment, so that it is made once however often it is asked for. The time (48 bits of milliseconds)
 * stands first, so that a node finds what is of one time in one place.
 */
export function freshId(): string {
  const random = Array.from(crypto.getRandomValues(new Uint8Array(10)), (byte) => byte.toString(16).padStart(2, '0'));
  return Date.now().toString(16).padStart(12, '0') + random.join('');
}

/** The id of what a form pays. It stays the same until the node has said no, and then it is another. */
export class OrderId {
  #id = freshId();

  async run<T>(work: (id: string) => Promise<T>): Promise<T> {
    try {
      return await work(this.#id);
    } catch (error) {
      if (REFUSED.includes(errorCode(error) ?? '')) this.#id = freshId();
      throw error;
    }
  }
}

/** What one's own server issues comes first; of the rest each stays where it was. */
function ownFirst<T extends { asset: AssetView }>(all: readonly T[]): T[] {
  const user = session.me?.user ?? '';
  const home = user.slice(user.lastIndexOf('@') + 1);
  const far = ({ asset }: T): number => Number(asset.issuer !== home);
  return [...all].sort((one, other) => far(one) - far(other));
}

/** Things of one kind that the node is asked about, each once between two changes. */
class Shelf<T> {
  readonly #all = new SvelteMap<string, Looked<T>>();
  /** In which round each was asked for. */
  readonly #asked = new Map<string, number>();
  /** Which asking of each was the last one: an answer that was overtaken is thrown away. */
  readonly #turns = new Map<string, number>();
  #turn = 0;

  /** `isFinal`: whether nothing can come of it any more, so that it is not asked for again. */
  constructor(readonly isFinal: (value: T) => boolean) {}

  get(key: string, round: number, ask: () => Promise<T>): Looked<T> {
    const had = this.#all.get(key);
    if (had?.value && this.isFinal(had.value)) return had;
    if (this.#asked.get(key) !== round) {
      this.#asked.set(key, round);
      // Not now: whoever reads this is being drawn.
      queueMicrotask(() => void this.take(key, ask()).catch(() => undefined));
    }
    return had ?? { value: null, error: null };
  }

  async take(key: string, asked: Promise<T>): Promise<T> {
    const turn = (this.#turn += 1);
    this.#turns.set(key, turn);
    try {
      const value = await asked;
      if (this.#turns.get(key) === turn) this.#all.set(key, { value, error: null });
      return value;
    } catch (error) {
      if (this.#turns.get(key) === turn) this.#all.set(key, { value: this.#all.get(key)?.value ?? null, error: errorCode(error) ?? 'internal' });
      throw error;
    }
  }

  clear(): void {
    this.#all.clear();
    this.#asked.clear();
    this.#turns.clear();
  }
}

/** Money as the node says that it is: one's own, and what was paid, given and asked for in chats. */
class Wallet {
  readonly #transfers = new Shelf<TransferView>(({ state }) => state === 'returned' || state === 'expired');
  readonly #packets = new Shelf<PacketView>(({ state, fair, coming }) => state !== 'open' && fair !== null && !coming);
  readonly #requests = new Shelf<RequestView>(() => false);
  #due: ReturnType<typeof setTimeout> | undefined;
  #refreshed = 0;

  constructor() {
    purse.forget.add(() => {
      for (const shelf of [this.#transfers, this.#packets, this.#requests]) shelf.clear();
      clearTimeout(this.#due);
      this.#due = undefined;
      this.#refreshed = 0;
    });
  }

  get loaded(): boolean {
    return purse.view !== null;
  }
  /** One's own accounts, and all that can be paid with: in each what the own server issues comes first. */
  readonly accounts: AccountView[] = $derived(ownFirst(purse.view?.accounts ?? []));
  readonly assets: IssuedView[] = $derived(ownFirst(purse.view?.assets ?? []));
  get pending(): PendingView[] {
    return purse.view?.pending ?? [];
  }
  /** Other servers whose people can be paid. */
  get links(): LinkedView[] {
    return purse.view?.links ?? [];
  }
  /** Whether this device has a payment PIN. */
  get pin(): boolean {
    return purse.view?.pin ?? false;
  }
  get ready(): boolean {
    return purse.ready;
  }
  get failed(): string | null {
    return purse.failed;
  }
  get round(): number {
    return purse.round;
  }

  want(): void {
    purse.want();
  }

  /** Asks anew, also where nothing was heard: whose people can be paid is agreed on by operators. However often, it is asked every few seconds. */
  refresh(): void {
    if (!purse.view && !purse.failed) {
      purse.want();
      return;
    }
    this.#due ??= setTimeout(() => {
      this.#due = undefined;
      this.#refreshed = Date.now();
      purse.load().catch(() => undefined);
    }, Math.max(0, this.#refreshed + REFRESH_MS - Date.now()));
  }

  load(): Promise<void> {
    return purse.load();
  }

  reload(): void {
    purse.reload();
  }

  clear(): void {
    purse.clear();
  }

  heard(event: Event): void {
    purse.heard(event);
  }

  account(asset: string): AccountView | undefined {
    return this.accounts.find((account) => account.asset.id === asset);
  }

  /** A transfer as it stands; to be read where it is shown, which is drawn again when it changes. */
  transfer(id: string): Looked<TransferView> {
    return this.#transfers.get(id, purse.round, () => engine().call({ call: 'transfer', id }));
  }

  /** Asks for a transfer anew: the last time there was no answer. */
  async askTransfer(id: string): Promise<void> {
    await this.#transfers.take(id, engine().call({ call: 'transfer', id })).catch(() => undefined);
  }

  /** A red packet, by its chat and message; read like {@link transfer}. */
  packet(chat: string, id: string): Looked<PacketView> {
    return this.#packets.get(`${chat}/${id}`, purse.round, () => engine().call({ call: 'packet', chat, id }));
  }

  /** Asks for a red packet anew: the node tells only those whose own money has moved. */
  async lookAgain(chat: string, id: string): Promise<void> {
    await this.#packets.take(`${chat}/${id}`, engine().call({ call: 'packet', chat, id })).catch(() => undefined);
  }

  /** A request for money, by its chat and message; read like {@link transfer}. */
  request(chat: string, id: string): Looked<RequestView> {
    return this.#requests.get(`${chat}/${id}`, purse.round, () => engine().call({ call: 'request', chat, id }));
  }

  /** Asks for a request anew. */
  async askRequest(chat: string, id: string): Promise<void> {
    await this.#requests.take(`${chat}/${id}`, engine().call({ call: 'request', chat, id })).catch(() => undefined);
  }

  async pay(wish: Omit<CallOf<'pay'>, 'call'>): Promise<TransferView> {
    const paid = await engine().call({ call: 'pay', ...wish });
    return this.#transfers.take(paid.id, Promise.resolve(paid));
  }

  /** Accepts what waits for oneself, or gives it back. */
  async answer(id: string, accept: boolean): Promise<TransferView> {
    const answered = await engine().call({ call: 'answer_transfer', id, accept });
    return this.#transfers.take(id, Promise.resolve(answered));
  }

  /** Opens a red packet. */
  async open(chat: string, id: string): Promise<PacketView> {
    const opened = await engine().call({ call: 'open_packet', chat, id });
    return this.#packets.take(`${chat}/${id}`, Promise.resolve(opened));
  }

  async sendPacket(wish: Omit<CallOf<'send_packet'>, 'call'>): Promise<void> {
    await engine().call({ call: 'send_packet', ...wish });
  }

  askMoney(wish: Omit<CallOf<'ask_money'>, 'call'>): Promise<MessageView> {
    return engine().call({ call: 'ask_money', ...wish });
  }

  /** The node's receipt, where this device keeps it. */
  receipt(id: string): Promise<ReceiptView> {
    return engine().call({ call: 'receipt', id });
  }

  nodeKey(): Promise<NodeKeyView> {
    return engine().call({ call: 'node_key' });
  }

  acceptNodeKey(print: string): Promise<NodeKeyView> {
    return engine().call({ call: 'accept_node_key', print });
  }

  history(account: string, before: number | null): Promise<HistoryView> {
    return engine().call({ call: 'wallet_history', account, before });
  }

  async setPin(pin: string, password: string): Promise<void> {
    await engine().call({ call: 'set_pin', pin, password });
    if (purse.view) purse.view = { ...purse.view, pin: true };
  }

  async define(wish: Omit<CallOf<'define_asset'>, 'call'>): Promise<void> {
    await engine().call({ call: 'define_asset', ...wish });
    await purse.load();
  }

  async issue(wish: Omit<CallOf<'issue'>, 'call'>): Promise<void> {
    await engine().call({ call: 'issue', ...wish });
    purse.reload();
  }

  async freeze(user: string, asset: string, frozen: boolean): Promise<void> {
    await engine().call({ call: 'freeze_account', user, asset, frozen });
    purse.reload();
  }
}

export const wallet = new Wallet();
