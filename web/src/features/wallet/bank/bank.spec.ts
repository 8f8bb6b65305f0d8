import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerDesk, FakeDesk, IBAN } from '../../../engine/fake-bank';
import { FakeEngine, fail, ME } from '../../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { banks } from '../../../state/banks.svelte';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import Issuer from '../Issuer.svelte';
import WalletHome from '../WalletHome.svelte';
import LinksPage from './LinksPage.svelte';
import ReconcilePage from './ReconcilePage.svelte';
import TopUpPage from './TopUpPage.svelte';
import WithdrawPage from './WithdrawPage.svelte';
import { bankError, importedLines, inFours, isIban } from './words';

const HERS = 'NL91ABNA0417164300';
let bank: FakeBank;
let desk: FakeDesk;
let fake: FakeEngine;
const copied = vi.fn(async () => undefined);
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  vi.stubGlobal('IntersectionObserver', class {
    observe(): void {}
    disconnect(): void {}
  });
  vi.stubGlobal('navigator', { ...navigator, clipboard: { writeText: copied } });
  copied.mockClear();
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  desk = new FakeDesk(bank);
  desk.accounts.set('eur', { name: 'Café Kollektiv', account: IBAN, note: 'COBADEFF', closing: ['9000', '2026-11-20'] });
  fake = answerDesk(answerWallet(new FakeEngine(), bank), desk);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  wallet.clear();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const fill = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const shown = (): string => document.body.textContent.replace(/\s/gu, ' ');
const calls = (name: string): unknown[] => fake.calls.filter(({ call }) => call === name);
const file = (text: string): File => new File([text], 'statement.sta');
async function choose(chosen: File): Promise<void> {
  const input = screen.getByLabelText('Import a bank file', { selector: 'input' });
  Object.defineProperty(input, 'files', { value: [chosen], configurable: true });
  await fireEvent.change(input);
}

describe('topping up', () => {
  it('shows where and with which reference, and copies it without spaces', async () => {
    render(TopUpPage);
    await waitFor(() => expect(screen.getByText('RF18 5390 0754 7034')).toBeTruthy());
    expect(screen.getByText('DE89 3704 0044 0532 0130 00')).toBeTruthy();
    await press('Copy: Reference');
    expect(copied).toHaveBeenCalledWith('RF18539007547034');
    expect(screen.getByText(/is no bank/)).toBeTruthy();
  });

  it('is offered only where there is an account', async () => {
    render(WalletHome);
    await waitFor(() => expect(screen.getByRole('link', { name: /Top up/ })).toBeTruthy());
    expect(screen.getByRole('link', { name: /To the bank/ })).toBeTruthy();
    cleanup();
    desk.accounts.clear();
    render(WalletHome);
    await waitFor(() => expect(banks.ways.value).toEqual([]));
    await waitFor(() => expect(screen.queryByRole('link', { name: /Top up/ })).toBeNull());
    cleanup();
    render(TopUpPage);
    await waitFor(() => expect(screen.getByText('No top-up by bank here')).toBeTruthy());
  });
});

describe('a withdrawal', () => {
  it('is asked for with a PIN, its mistakes at their fields, and waits', async () => {
    render(WithdrawPage);
    await waitFor(() => expect(screen.getByRole('button', { name: 'Pay out' })).toBeTruthy());
    await press('Pay out');
    await fill('Amount', '30');
    await fill('IBAN', 'NL91 ABNA 0417 1643 01');
    await press('Continue');
    expect(screen.getAllByRole('alert', { hidden: true })).toHaveLength(2);
    await fill('Account holder', 'Alice Example');
    await fill('IBAN', 'nl91 abna 0417 1643 00');
    await press('Continue');
    expect(screen.getByText('To Alice Example, NL91 ABNA 0417 1643 00')).toBeTruthy();
    await fill('Payment PIN', PIN);
    await waitFor(() => expect(desk.withdrawals).toMatchObject([{ amount: '3000', name: 'Alice Example', account: HERS, state: 'waiting' }]));
    await waitFor(() => expect(screen.getByText('Waits')).toBeTruthy());
    expect(bank.held(ME, 'eur', 'from')).toBe(3_000n);
  });

  const mine = async (): Promise<void> => {
    bank.move({ id: 'w', purpose: 'withdrawal', asset: 'eur', from: ME, to: 'node', amount: 500n, state: 'held' });
    desk.withdrawals.push({ id: 'w', person: bank.person(ME), asset: bank.asset('eur'), amount: '500', name: 'Alice', account: HERS, reference: 'RF18539007547034', state: 'waiting', time_ms: 0 });
    render(WithdrawPage);
    await waitFor(() => expect(screen.getByText('Waits')).toBeTruthy());
    await press(/5\.00/);
  };

  it('is taken back as long as nobody pays it', async () => {
    await mine();
    await press('Take it back');
    await waitFor(() => expect(screen.getByText('Taken back')).toBeTruthy());
    expect([desk.withdrawals[0]?.state, bank.entry('w').state]).toEqual(['taken_back', 'returned']);
    expect(screen.queryByRole('button', { name: /5\.00/ })).toBeNull();
  });

  it('is not taken back once the owner is about to pay it, and says so', async () => {
    await mine();
    desk.begin('w');
    await press('Take it back');
    await waitFor(() => expect(screen.getByText(/cannot be taken back any more/)).toBeTruthy());
    await waitFor(() => expect(screen.getByText('Being paid')).toBeTruthy());
    expect([desk.withdrawals[0]?.state, bank.entry('w').state]).toEqual(['paying', 'held']);
  });
});

describe('the owner', () => {
  it('sees what the bank has less than there is, and is led there', async () => {
    render(Issuer);
    await waitFor(() => expect(screen.getByRole('link', { name: /Reconciliation/ }).getAttribute('href')).toBe('#/me/wallet/reconcile'));
    expect(screen.getByRole('link', { name: /Links/ }).getAttribute('href')).toBe('#/me/wallet/links');
    cleanup();
    render(ReconcilePage);
    await waitFor(() => expect(screen.getByText('The bank has less, by')).toBeTruthy());
    expect(screen.getByText(/10\.00/)).toBeTruthy();
  });

  it('sees while a page is open what others have asked for', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const asks = { node: 'garden.example', terms: false, offered: false, asked: true, frozen: null, frozen_ms: null, waiting_out: 0, waiting_in: 0, owed: [] };
      const withdrawal = { id: 'w', person: bank.person('bob@home.example'), asset: bank.asset('eur'), amount: '500', name: 'Bob', account: HERS, reference: 'RF18539007547034', state: 'waiting', time_ms: 0 };
      for (const [page, before, marks] of [
        [Issuer, /Reconciliation/, ['1 to pay out', '1 to sign']],
        [LinksPage, 'No links with other servers', ['They offer terms, which wait for your signature.']],
        [ReconcilePage, 'Nothing to pay out', ['5.00 EUR']],
      ] as const) {
        desk.links = [];
        desk.withdrawals.length = 0;
        render(page);
        await waitFor(() => expect(screen.getByText(before)).toBeTruthy());
        for (const mark of marks) expect(shown()).not.toContain(mark);
        desk.links = [asks];
        desk.withdrawals.push(withdrawal);
        vi.advanceTimersByTime(5_000);
        await waitFor(() => expect(marks.filter((mark) => !shown().includes(mark))).toEqual([]));
        cleanup();
      }
      const looked = calls('node_links').length;
      vi.advanceTimersByTime(60_000);
      expect(calls('node_links')).toHaveLength(looked);
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes a file, is told what came of it, and nothing of one that is none', async () => {
    render(ReconcilePage);
    await waitFor(() => expect(screen.getByRole('button', { name: 'Import a bank file' })).toBeTruthy());
    await choose(file(':20:X\n:61:1\n:61:2\n'));
    await waitFor(() => expect(screen.getByText('2 wait for you below')).toBeTruthy());
    expect(screen.getAllByText(/for the garden/)).toHaveLength(2);
    await choose(file(':20:X\n:61:1\n:61:2\n'));
    await waitFor(() => expect(screen.getByText('2 were known already')).toBeTruthy());
    await choose(file('PK'));
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('MT940, line 5'));
    expect(calls('import_bank')).toHaveLength(3);
    await choose(new File([new Uint8Array((4 << 20) + 1)], 'large.xml'));
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('larger than 4 MB'));
    expect(calls('import_bank')).toHaveLength(3);
  });

  it('says whose an unclear line is, or sends it back after being asked once more', async () => {
    desk.unclear('a', { text: 'for bob' });
    desk.unclear('b', { text: 'who knows', amount: '700' });
    desk.unclear('c', { text: 'monthly fee', amount: '150', credit: false });
    render(ReconcilePage);
    await waitFor(() => expect(screen.getByText(/for bob/)).toBeTruthy());
    await fireEvent.click(screen.getByText(/for bob/));
    await fill('Member', 'bob');
    await press('It is theirs');
    await waitFor(() => expect(bank.balance('bob@home.example', 'eur')).toBe(2_500n));
    await waitFor(() => expect(screen.queryByText(/for bob/)).toBeNull());
    await fireEvent.click(screen.getByText(/who knows/));
    await press('Send it back');
    expect(calls('decide_line')).toHaveLength(1);
    await press('Send it back');
    await waitFor(() => expect(screen.queryByText(/who knows/)).toBeNull());
    await fireEvent.click(screen.getByText(/monthly fee/));
    await press('Noted');
    await waitFor(() => expect(screen.getByText('Nothing unclear')).toBeTruthy());
    expect(bank.balance('suspense', 'eur')).toBe(0n);
  });

  it('marks a withdrawal as paid after being asked once more', async () => {
    bank.move({ id: 'w', purpose: 'withdrawal', asset: 'eur', from: ME, to: 'node', amount: 500n, state: 'held' });
    desk.withdrawals.push({ id: 'w', person: bank.person(ME), asset: bank.asset('eur'), amount: '500', name: 'Alice', account: HERS, reference: 'RF18539007547034', state: 'waiting', time_ms: 0 });
    render(ReconcilePage);
    await waitFor(() => expect(screen.getByText('5.00 EUR')).toBeTruthy());
    await fireEvent.click(screen.getByText('5.00 EUR'));
    // Where it goes is seen once it cannot be taken back any more.
    expect(screen.queryByText(/NL91 ABNA/)).toBeNull();
    await press('Pay it now');
    await waitFor(() => expect(screen.getByText(/NL91 ABNA/)).toBeTruthy());
    expect(desk.withdrawals[0]?.state).toBe('paying');
    await press('Copy: Reference');
    expect(copied).toHaveBeenCalledWith('RF18539007547034');
    await press('It is paid');
    expect(calls('decide_withdrawal')).toHaveLength(0);
    await press('It is paid');
    await waitFor(() => expect(screen.getByText('Nothing to pay out')).toBeTruthy());
    expect(bank.entry('w').state).toBe('done');
  });

  it('is told when a withdrawal was taken back meanwhile, and sends nothing', async () => {
    bank.move({ id: 'w', purpose: 'withdrawal', asset: 'eur', from: ME, to: 'node', amount: 500n, state: 'held' });
    desk.withdrawals.push({ id: 'w', person: bank.person(ME), asset: bank.asset('eur'), amount: '500', name: 'Alice', account: HERS, reference: 'RF18539007547034', state: 'waiting', time_ms: 0 });
    render(ReconcilePage);
    await waitFor(() => expect(screen.getByText('5.00 EUR')).toBeTruthy());
    await fireEvent.click(screen.getByText('5.00 EUR'));
    desk.takeBack('w');
    await press('Pay it now');
    await waitFor(() => expect(screen.getByText(/Send nothing/)).toBeTruthy());
    expect(screen.queryByText(/NL91 ABNA/)).toBeNull();
  });

  it('names the account that backs something, with what is wrong at its field', async () => {
    desk.accounts.clear();
    render(ReconcilePage);
    await waitFor(() => expect(screen.getByText('No account backs it')).toBeTruthy());
    expect(screen.queryByRole('button', { name: 'Import a bank file' })).toBeNull();
    await press(/Euro/);
    await fill('Account holder', 'Café Kollektiv');
    await fill('IBAN', '12345');
    await press('Save');
    await waitFor(() => expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('look for a typing mistake'));
    await fill('IBAN', IBAN);
    await press('Save');
    await waitFor(() => expect(desk.accounts.get('eur')).toMatchObject({ name: 'Café Kollektiv', account: IBAN }));
  });

  it('sees what is between this server and others', async () => {
    desk.links = [{ node: 'garden.example', terms: true, offered: false, asked: true, frozen: 'another history', frozen_ms: 1, waiting_out: 1, waiting_in: 2, owed: [{ code: 'EUR', ours: false, owed: '12.00', limit: '50.00' }] }];
    render(LinksPage);
    await waitFor(() => expect(screen.getByText('They owe 12.00 EUR')).toBeTruthy());
    for (const text of [/another history/, /Limit: 50\.00 EUR/, /1 to them, 2 from them/, /your signature/]) expect(screen.getByText(text), String(text)).toBeTruthy();
  });

  it('alone sees them', () => {
    session.me = session.me && { ...session.me, role: 'member' };
    for (const page of [ReconcilePage, LinksPage]) {
      render(page);
      expect(screen.getByText('You may not do that.')).toBeTruthy();
      cleanup();
    }
    expect(fake.calls.filter(({ call }) => ['bank_accounts', 'bank_lines', 'node_links'].includes(call))).toEqual([]);
  });
});

describe('the words', () => {
  it('know an IBAN, and print it in fours', () => {
    for (const good of [IBAN, 'GB82 WEST 1234 5698 7654 32', 'nl91abna0417164300']) expect(isIban(good), good).toBe(true);
    for (const bad of ['', 'DE89370400440532013001', 'DE89', `${IBAN}é`, 'XX00']) expect(isIban(bad), bad).toBe(false);
    expect([inFours(IBAN), inFours('account 7')]).toEqual(['DE89 3704 0044 0532 0130 00', 'account 7']);
  });

  it('name each kind of line once, and say when there was none', () => {
    const none = { credited: 0, paid: 0, waiting: 0, known: 0, above: 0, left_out: 0, foreign: 0, unproved: 0 };
    expect(importedLines(none)).toHaveLength(1);
    const all = importedLines({ credited: 1, paid: 2, waiting: 3, known: 4, above: 5, left_out: 6, foreign: 7, unproved: 8 });
    expect([new Set(all.map(({ text }) => text)).size, all.filter(({ warn }) => warn).length]).toEqual([8, 2]);
    expect(bankError(fail('offline'))).toBeNull();
  });
});
