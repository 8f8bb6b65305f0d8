/** The bank of the small world: an account that backs the euro, a work list, withdrawals, and links. As strict as the node. */
import type { BankAccountView } from '../wire/BankAccountView';
import type { BankLineView } from '../wire/BankLineView';
import type { NodeLinkView } from '../wire/NodeLinkView';
import type { WithdrawalView } from '../wire/WithdrawalView';
import { CallFailed } from './calls';
import { fail, type FakeEngine, ME } from './fake';
import { type FakeBank, ordering } from './fake-wallet';

const NODE = 'node';
const SUSPENSE = 'suspense';
export const IBAN = 'DE89370400440532013000';

export class FakeDesk {
  readonly accounts = new Map<string, Pick<BankAccountView, 'name' | 'account' | 'note' | 'closing'>>();
  readonly lines: BankLineView[] = [];
  readonly decided = new Map<string, string>();
  readonly withdrawals: WithdrawalView[] = [];
  readonly files = new Set<string>();
  links: NodeLinkView[] = [];

  constructor(readonly bank: FakeBank) {}

  /** Something comes in that nobody can tell whose it is; or goes out. */
  unclear(id: string, part: Partial<BankLineView> = {}): BankLineView {
    const line: BankLineView = { id, asset: this.bank.asset('eur'), day: '2026-11-20', amount: '2500', credit: true, name: 'C. Lindqvist', account: 'NL91ABNA0417164300', text: 'for the garden', ...part };
    this.lines.push(line);
    if (line.credit) this.bank.move({ id: `in ${id}`, purpose: 'top_up', asset: line.asset.id, from: NODE, to: SUSPENSE, amount: BigInt(line.amount) });
    return line;
  }

  decide(id: string, act: string, user: string | null): void {
    const line = this.lines.find((one) => one.id === id);
    if (!line) throw fail('not_found');
    const wish = `${act} ${user ?? ''}`;
    if (this.decided.has(id)) {
      if (this.decided.get(id) !== wish) throw fail('already_decided');
      return;
    }
    if (line.credit === (act === 'note')) throw fail('invalid_field', 'decision');
    if (act === 'assign' && !user?.endsWith('@home.example')) throw fail('not_found');
    const to = act === 'assign' ? (user ?? '') : NODE;
    if (line.credit) this.bank.move({ id: `out ${id}`, purpose: act === 'assign' ? 'top_up' : 'withdrawal', asset: line.asset.id, from: SUSPENSE, to, amount: BigInt(line.amount) });
    this.decided.set(id, wish);
  }

  end(id: string, paid: boolean): void {
    const one = this.withdrawals.find((known) => known.id === id);
    if (!one) throw fail('not_found');
    const state = paid ? 'paid' : 'returned';
    if (!isOpen(one) && one.state !== state) throw fail('already_decided');
    this.#become(one, state);
    this.bank.entry(id).state = paid ? 'done' : 'returned';
  }

  begin(id: string): void {
    const one = this.withdrawals.find((known) => known.id === id);
    if (!one) throw fail('not_found');
    if (!isOpen(one)) throw fail('already_decided');
    this.#become(one, 'paying');
  }

  takeBack(id: string): void {
    const one = this.withdrawals.find((known) => known.id === id && known.person.user === ME);
    if (!one) throw fail('not_found');
    if (one.state !== 'waiting' && one.state !== 'taken_back') throw fail('already_decided');
    this.#become(one, 'taken_back');
    this.bank.entry(id).state = 'returned';
  }

  #become(one: WithdrawalView, state: string): void {
    this.withdrawals.splice(this.withdrawals.indexOf(one), 1, { ...one, state });
  }

  waiting(): BankLineView[] {
    return this.lines.filter(({ id }) => !this.decided.has(id));
  }
}

/** Whether it is neither paid nor back. */
const isOpen = ({ state }: WithdrawalView): boolean => state === 'waiting' || state === 'paying';

function decoded(text: string): string {
  return atob(text.replace(/-/g, '+').replace(/_/g, '/'));
}

/** Answers the calls about banks, for {@link ME}. A file is taken if it begins as MT940 does; its lines are its `:61:`. */
export function answerDesk(engine: FakeEngine, desk: FakeDesk): FakeEngine {
  const { bank } = desk;
  const order = ordering(engine, bank);
  return engine
    .on('top_ups', () =>
      [...desk.accounts].map(([asset, account]) => {
        const issued = bank.assets().find((one) => one.asset.id === asset);
        return { asset: bank.asset(asset), title: issued?.title ?? '', backing: issued?.backing ?? '', name: account.name, account: account.account, note: account.note, reference: 'RF18539007547034' };
      }),
    )
    .on('withdraw', ({ id, asset, amount, name, account, pin }) => {
      if (!desk.accounts.has(asset)) throw fail('not_found');
      const entry = order({ id, purpose: 'withdrawal', asset, from: ME, to: NODE, amount: BigInt(amount), state: 'held' }, pin);
      if (!desk.withdrawals.some((one) => one.id === id)) desk.withdrawals.push({ id, person: bank.person(ME), asset: bank.asset(asset), amount, name, account, reference: 'RF71234823100000001', state: 'waiting', time_ms: entry.time_ms });
      return undefined;
    })
    .on('withdrawals', () => ({ withdrawals: desk.withdrawals.filter((one) => one.person.user === ME).reverse(), more: false }))
    .on('bank_accounts', () => [...desk.accounts].map(([asset, account]) => ({ asset, ...account, issued: (-bank.balance(NODE, asset)).toString(), suspense: bank.balance(SUSPENSE, asset).toString() })))
    .on('set_bank_account', ({ asset, name, account, note }) => {
      if (account === '') {
        desk.accounts.delete(asset);
        return undefined;
      }
      if (bank.asset(asset).code !== 'EUR') throw fail('invalid_field', 'asset');
      if (!/^[A-Z]{2}\d{2}/.test(account)) throw fail('invalid_field', 'account');
      desk.accounts.set(asset, { name, account: account.replace(/\s/g, ''), note, closing: desk.accounts.get(asset)?.closing ?? null });
      return undefined;
    })
    .on('import_bank', ({ text }) => {
      const file = decoded(text);
      if (!file.startsWith(':20:')) throw new CallFailed({ code: 'bank_file', message: 'This bank file cannot be imported; nothing of it was taken. (MT940, line 5: an amount is digits with at most one decimal mark)', field: null, retry_after_ms: null });
      const count = file.split('\n').filter((line) => line.startsWith(':61:')).length;
      const known = desk.files.has(file);
      desk.files.add(file);
      if (!known) for (let at = 0; at < count; at += 1) desk.unclear(`file ${desk.lines.length}`);
      return { credited: 0, paid: 0, waiting: known ? 0 : count, known: known ? count : 0, above: 0, left_out: 0, foreign: 0, unproved: 0 };
    })
    .on('bank_lines', () => ({ lines: desk.waiting(), more: false }))
    .on('decide_line', ({ id, act, user }) => {
      desk.decide(id, act, user);
      engine.emit({ event: 'wallet' });
      return undefined;
    })
    .on('withdrawals_waiting', () => ({ withdrawals: desk.withdrawals.filter(isOpen), more: false }))
    .on('begin_withdrawal', ({ id }) => {
      desk.begin(id);
      return undefined;
    })
    .on('take_back_withdrawal', ({ id }) => {
      desk.takeBack(id);
      engine.emit({ event: 'wallet' });
      return undefined;
    })
    .on('decide_withdrawal', ({ id, accept }) => {
      desk.end(id, accept);
      engine.emit({ event: 'wallet' });
      return undefined;
    })
    .on('node_links', () => desk.links);
}

/** A desk with something on it; `?nobank`: none. */
export function fakeDesk(bank: FakeBank, now: number, query: URLSearchParams): FakeDesk {
  const desk = new FakeDesk(bank);
  if (query.has('nomoney') || query.has('nobank')) return desk;
  desk.accounts.set('eur', { name: 'Lindenhof e. V.', account: IBAN, note: 'COBADEFFXXX', closing: ['495000', '2026-11-20'] });
  desk.unclear('l1', { amount: '4000', text: 'Jahresbeitrag 2026' });
  desk.unclear('l2', { amount: '12050', name: 'Dmitri', account: null, text: 'RF18 5390 0754 7O34 top up' });
  desk.unclear('l3', { credit: false, amount: '790', name: null, account: null, text: 'Kontoführung 11/2026' });
  const user = 'carol@home.example';
  const held = bank.move({ id: 'w1', purpose: 'withdrawal', asset: 'eur', from: user, to: NODE, amount: 3_500n, state: 'held' });
  desk.withdrawals.push({ id: held.id, person: bank.person(user), asset: bank.asset('eur'), amount: '3500', name: 'Carol Lindqvist', account: 'NL91ABNA0417164300', reference: 'RF71234823100000001', state: 'waiting', time_ms: now - 9e6 });
  for (const [id, amount, state] of [['w2', 1_200n, 'paying'], ['w3', 2_000n, 'waiting']] as const) {
    bank.move({ id, purpose: 'withdrawal', asset: 'eur', from: ME, to: NODE, amount, state: 'held' });
    desk.withdrawals.push({ id, person: bank.person(ME), asset: bank.asset('eur'), amount: amount.toString(), name: 'Alice Moreau', account: 'NL91ABNA0417164300', reference: 'RF18539007547034', state, time_ms: now - 8e6 });
  }
  const owed = [
    { code: 'EUR', ours: true, owed: '128.40', limit: '500.00' },
    { code: 'HOURS', ours: false, owed: '12', limit: '40' },
  ];
  desk.links = [
    { node: 'garden.example', terms: true, offered: false, asked: false, frozen: null, frozen_ms: null, waiting_out: 1, waiting_in: 0, owed },
    { node: 'mountain.example', terms: true, offered: false, asked: false, frozen: 'the other node has another message 17 of this one', frozen_ms: now - 4e7, waiting_out: 0, waiting_in: 2, owed: owed.slice(0, 1) },
    { node: 'village.example', terms: false, offered: false, asked: true, frozen: null, frozen_ms: null, waiting_out: 0, waiting_in: 0, owed: [] },
  ];
  return desk;
}
