import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import { memberAddress, scaleOf } from './asset';
import Issuer from './Issuer.svelte';
import WalletHome from './WalletHome.svelte';

const BOB = 'bob@home.example';
let bank: FakeBank;
let fake: FakeEngine;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  vi.stubGlobal('IntersectionObserver', class {
    observe(): void {}
    disconnect(): void {}
  });
  bank = new FakeBank();
  bank.pin = PIN;
  fake = answerWallet(new FakeEngine(), bank, { page: 50 });
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
const issue = (amount: bigint): void => void bank.define(EUR, { title: 'Euro' }).move({ id: `i${amount}`, purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount });

describe('the wallet', () => {
  it('says that nothing is issued, and leads its owner on', async () => {
    render(WalletHome);
    await waitFor(() => expect(screen.getByText('No money at this server')).toBeTruthy());
    expect(screen.getByRole('link', { name: 'Money of this server' })).toBeTruthy();
  });

  it('says what went wrong when it cannot be had, and tries again', async () => {
    issue(500n);
    const answer = fake;
    useEngine(new FakeEngine());
    render(WalletHome);
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('cannot be reached'));
    useEngine(answer);
    await press('Try again');
    await waitFor(() => expect(screen.getByText('5.00')).toBeTruthy());
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('keeps showing what was known, as such', async () => {
    issue(500n);
    render(WalletHome);
    await waitFor(() => expect(screen.getByText('5.00')).toBeTruthy());
    useEngine(new FakeEngine());
    wallet.reload();
    await waitFor(() => expect(screen.getAllByRole('alert').map((one) => one.textContent).join()).toContain('what was known before'));
    expect(screen.getByText('5.00')).toBeTruthy();
  });

  it('shows what waits, what is stopped, and what is not decided', async () => {
    issue(10_000n);
    bank.move({ id: 'out', purpose: 'transfer', asset: 'eur', from: ME, to: BOB, amount: 1_234n, state: 'held' });
    bank.move({ id: 'back', purpose: 'transfer', asset: 'eur', from: ME, to: BOB, amount: 100n });
    bank.move({ id: 'in', purpose: 'transfer', asset: 'eur', from: BOB, to: ME, amount: 50n, state: 'held' });
    bank.frozen.add(`${ME} eur`);
    bank.pending.set('p', { id: 'p', purpose: 'payment', asset: 'eur', from: ME, to: BOB, amount: 7n });
    render(WalletHome);
    await waitFor(() => expect(screen.getByText('86.66')).toBeTruthy());
    for (const text of [/12\.34 EUR held back/, /0\.50 EUR waits for you/, /stopped payments/, /0\.07 EUR to bob@home\.example is not decided/]) expect(screen.getByText(text), String(text)).toBeTruthy();
  });

  it('lets the payee of a line that waits accept it', async () => {
    issue(10_000n);
    bank.move({ id: 'pay', purpose: 'payment', asset: 'eur', from: ME, to: BOB, amount: 100n });
    bank.move({ id: 'in', purpose: 'transfer', asset: 'eur', from: BOB, to: ME, amount: 50n, state: 'held' });
    render(WalletHome);
    await waitFor(() => expect(screen.getByText('Waits for you')).toBeTruthy());
    await fireEvent.click(screen.getByText('Waits for you'));
    await press('Accept');
    await waitFor(() => expect(bank.balance(ME, 'eur')).toBe(9_950n));
    await waitFor(() => expect(screen.queryByText('Waits for you')).toBeNull());
  });
});

/** What stands under a field. */
const note = (label: string): string => document.getElementById(screen.getByLabelText(label).getAttribute('aria-describedby') ?? '')?.textContent ?? '';

describe('what the node issues', () => {
  it('begins with nothing, is defined with its mistakes at their fields, and is issued to whoever stands there', async () => {
    render(Issuer);
    await waitFor(() => expect(screen.getByText('This server issues nothing')).toBeTruthy());
    await press('Issue something new');
    await fill('Short name', '1');
    await fill('Decimals', '13');
    await press('Save');
    expect(screen.getAllByRole('alert', { hidden: true })).toHaveLength(3);
    expect(fake.calls.some(({ call }) => call === 'define_asset')).toBe(false);
    await fill('Short name', 'eur');
    await fill('Decimals', '2');
    await fill('Name', 'Euro');
    await fill('Most that may be issued', '1,000.00');
    await press('Save');
    await waitFor(() => expect(fake.calls.find(({ call }) => call === 'define_asset')).toMatchObject({ code: 'EUR', scale: 2, title: 'Euro', payment_max: '0', issue_max: '100000' }));

    await waitFor(() => expect(screen.getByText(/0\.00 EUR in circulation/)).toBeTruthy());
    await press(/Euro/);
    await press('Issue to somebody');
    await fill('Member', 'bobb');
    await fill('Amount', '1000');
    await waitFor(() => expect(screen.getByText(/bobb@home\.example is not one of your contacts/)).toBeTruthy());
    fake.on('issue', () => {
      throw fail('not_found');
    });
    await press(/^Issue 1,000\.00/);
    await waitFor(() => expect(note('Member')).toContain('nobody of this name'));
    await fill('Member', 'bob');
    expect(note('Member')).toBe('');
    answerWallet(fake, bank, { page: 50 });
    await press(/^Issue 1,000\.00/);
    await waitFor(() => expect(bank.balance(BOB, 'eur')).toBe(100_000n));
    // The first one was refused: the second is another order.
    const ids = fake.calls.flatMap((call) => (call.call === 'issue' ? [call.id] : []));
    expect(new Set(ids).size).toBe(2);
  });

  it('is defined by a form that says at each field what is wrong with it, once it was left, and leads there', async () => {
    render(Issuer);
    await waitFor(() => expect(screen.getByText('This server issues nothing')).toBeTruthy());
    await press('Issue something new');
    const wrong = (): string[] => ['Short name', 'Decimals', 'Name', 'Most that one payment moves'].filter((label) => screen.getByLabelText(label).getAttribute('aria-invalid') === 'true');
    await fill('Short name', '1');
    await fill('Most that one payment moves', '0.50');
    expect([wrong(), note('Most that one payment moves')]).toEqual([[], 'Empty: no limit']);
    await fireEvent.blur(screen.getByLabelText('Short name'));
    expect([wrong(), note('Short name'), note('Decimals')]).toEqual([['Short name'], '2 to 12 capital letters and digits, a letter first.', 'Stays for ever']);
    // Decimals that are none change nothing of what the amounts are read as.
    await fill('Decimals', '13');
    await fireEvent.blur(screen.getByLabelText('Decimals'));
    expect([wrong(), note('Decimals'), note('Most that one payment moves')]).toEqual([['Short name', 'Decimals'], 'A number from 0 to 12.', 'Empty: no limit']);
    await fill('Short name', 'HOURS');
    await fill('Most that one payment moves', 'x');
    await press('Save');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Decimals')));
    expect(wrong()).toEqual(['Decimals', 'Name', 'Most that one payment moves']);
    await fill('Decimals', '1');
    await fill('Name', 'Hours');
    await press('Save');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Most that one payment moves')));
    expect(fake.calls.some(({ call }) => call === 'define_asset')).toBe(false);
    await fill('Most that one payment moves', '0.5');
    await press('Save');
    await waitFor(() => expect(fake.calls.find(({ call }) => call === 'define_asset')).toMatchObject({ code: 'HOURS', scale: 1, payment_max: '5' }));
  });

  it('is issued up to the limit, which is named before and after it was tried', async () => {
    bank.define(EUR, { title: 'Euro' }, 100_000n).move({ id: 'i1', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 75_000n });
    render(Issuer);
    await waitFor(() => expect(screen.getByText('Euro')).toBeTruthy());
    await press(/Euro/);
    for (const [what, much] of [['Most that may be issued', '1,000.00 EUR'], ['May still be issued', '250.00 EUR']] as const) expect(screen.getByText(what).nextElementSibling?.textContent.replace(/\s/gu, ' '), what).toBe(much);
    await press('Issue to somebody');
    expect(note('Amount')).toMatch(/At most 1,000\.00\sEUR may be issued, of which 250\.00\sEUR is left/u);
    // Nothing, or next to nothing, is typed: it is said, and one is led there.
    await press('Issue');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Member')));
    expect([note('Member'), note('Amount')]).toEqual(['Say who it is.', 'Enter an amount.']);
    await fill('Member', 'bob');
    await fill('Amount', '0');
    await press('Issue');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Amount')));
    expect(note('Amount')).toBe('Enter more than zero.');
    await fill('Amount', '250.01');
    expect(note('Amount')).toMatch(/more than may be issued: at most 1,000\.00\sEUR, of which 250\.00\sEUR is left/u);
    await press(/^Issue 250\.01/);
    expect(fake.calls.some(({ call }) => call === 'issue')).toBe(false);
    // Somebody else was quicker: the node says no, and what is left is named anew.
    await fill('Amount', '250');
    bank.move({ id: 'i2', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
    await press(/^Issue 250\.00/);
    await waitFor(() => expect(note('Amount')).toMatch(/of which 150\.00\sEUR is left/u));
    await fill('Amount', '150');
    expect(note('Amount')).toMatch(/^At most/);
    await press(/^Issue 150\.00/);
    await waitFor(() => expect(bank.balance(BOB, 'eur')).toBe(15_000n));
    expect(screen.queryByText(/do not have as much/)).toBeNull();
  });

  it('is nobody else’s business', async () => {
    session.me = session.me && { ...session.me, role: 'member' };
    render(Issuer);
    expect(screen.getByText('You may not do that.')).toBeTruthy();
    expect(screen.queryByRole('button')).toBeNull();
  });

  it('cannot be more than there is when it is redeemed', async () => {
    issue(500n);
    fake.on('issue', () => {
      throw fail('insufficient_funds');
    });
    render(Issuer);
    await waitFor(() => expect(screen.getByText('Euro')).toBeTruthy());
    await press(/Euro/);
    await press('Redeem from somebody');
    await fill('Member', ME);
    await fill('Amount', '6');
    await press(/^Redeem 6\.00/);
    await waitFor(() => expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('do not have as much'));
  });
});

describe('what an owner types', () => {
  it('is somebody of this node, or nobody', () => {
    expect(memberAddress(' Bob ', 'home.example')).toBe(BOB);
    expect(memberAddress('bob@home.example', 'home.example')).toBe(BOB);
    for (const text of ['', 'bob@elsewhere.example', 'bob@', 'a b', '@home.example', 'bob@home.example@home.example']) expect(memberAddress(text, 'home.example'), text).toBeNull();
  });

  it('has 0 to 12 decimals', () => {
    expect(['0', '12', ' 2 ', 2].map(scaleOf)).toEqual([0, 12, 2, 2]);
    expect(['', '13', '-1', '2.5', '1e1', 'two', null].map(scaleOf)).toEqual([null, null, null, null, null, null, null]);
  });
});
