import { cleanup, fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { contact, FakeEngine, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank } from '../../engine/fake-wallet';
import { contacts } from '../../state/contacts.svelte';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import type { HistoryLineView } from '../../wire/HistoryLineView';
import Chart from './Chart.svelte';
import HistoryList from './HistoryList.svelte';
import { Ledger } from './ledger.svelte';
import Payee from './Payee.svelte';

const BOB = { user: 'bob@home.example', name: 'Bob' };
const CAROL = { user: 'carol@home.example', name: 'Carol' };
let bank: FakeBank;
let fake: FakeEngine;
beforeEach(async () => {
  vi.stubGlobal('IntersectionObserver', class {
    observe(): void {}
    disconnect(): void {}
  });
  wallet.clear();
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  fake = answerWallet(new FakeEngine(), bank).on('contacts', () => [contact(BOB.user, 'Bob', { verified: true }), contact(CAROL.user, 'Carol')]);
  useEngine(fake);
  await Promise.all([contacts.load(), wallet.load()]);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  session.me = null;
});
/** As a reader hears it: each space is one. */
const words = (element: Element | null): string => (element?.textContent ?? '').replace(/\s+/gu, ' ').trim();

describe('the chart', () => {
  it('says in its table what its bars show, the newest month first', () => {
    const months = [
      { start: new Date(2026, 0, 1).getTime(), credit: 123_456n, debit: 0n },
      { start: new Date(2026, 1, 1).getTime(), credit: 0n, debit: 50n },
    ];
    const { container } = render(Chart, { months, asset: EUR });
    const rows = within(screen.getByRole('table', { hidden: true })).getAllByRole('row', { hidden: true });
    expect(rows.map((row) => [...row.children].map(words))).toEqual([
      ['Month', 'Came in', 'Went out'],
      ['February 2026', '0.00 EUR', '0.50 EUR'],
      ['January 2026', '1,234.56 EUR', '0.00 EUR'],
    ]);
    // A bar for each that is not nothing.
    expect([container.querySelectorAll('path.in').length, container.querySelectorAll('path.out').length]).toEqual([1, 1]);
  });
});

describe('the history', () => {
  const line = (part: Partial<HistoryLineView>): HistoryLineView => ({ number: 1, transfer: 't', time_ms: new Date(2026, 2, 2, 12).getTime(), purpose: 'transfer', credit: false, amount: '1000', other: BOB, shop: null, packet: null, refunds: null, refunded: '0', state: 'done', until_ms: null, ...part });

  async function history(lines: HistoryLineView[]): Promise<void> {
    fake.on('wallet_history', ({ account }) => ({ account, lines, more: false }));
    const [account] = wallet.accounts;
    if (!account) throw new Error('no account');
    const ledger = new Ledger(account.id);
    await ledger.next();
    render(HistoryList, { ledger, account });
  }
  const rows = (): string[] => screen.queryAllByRole('listitem').map((row) => words(row.querySelector('.who')));

  it('shows what was filtered for, by way and by kind', async () => {
    await history([line({ transfer: 'a' }), line({ transfer: 'b', credit: true, other: CAROL }), line({ transfer: 'c', shop: 'Corner shop' })]);
    expect(rows()).toEqual(['Bob', 'Carol', 'Corner shop']);
    const press = (name: string): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name }));
    await press('In');
    expect(rows()).toEqual(['Carol']);
    expect([screen.getByRole('button', { name: 'In' }).getAttribute('aria-pressed'), screen.getByRole('button', { name: 'All' }).getAttribute('aria-pressed')]).toEqual(['true', 'false']);
    await press('Out');
    expect(rows()).toEqual(['Bob', 'Corner shop']);
    await fireEvent.change(screen.getByLabelText('What'), { target: { value: 'shop' } });
    expect(rows()).toEqual(['Corner shop']);
    await press('In');
    expect(rows()).toEqual([]);
    expect(screen.getByText('No line like this')).toBeTruthy();
  });

  it('says of a fee whose payment it is of, if that is there', async () => {
    const fee = { purpose: 'fee', other: null, amount: '5' };
    await history([line({ transfer: 'f', fee_of: 'p', ...fee }), line({ transfer: 'p' }), line({ transfer: 'g', fee_of: 'far back', ...fee })]);
    const said = screen.getAllByRole('listitem').map((row) => words(row.querySelector('.what')).split(' · ').slice(0, -1));
    expect(said).toEqual([['Fee', 'Bob'], ['Transfer'], ['Fee']]);
  });
});

describe('who gets money', () => {
  it.each([
    [BOB, true, false],
    [CAROL, false, true],
    [{ user: ME, name: 'Alice' }, false, false],
  ])('%o is marked as their key is', (who, verified, not) => {
    render(Payee, who);
    expect([screen.queryByLabelText('Verified') !== null, screen.queryByText('Not compared yet') !== null]).toEqual([verified, not]);
  });
});
