import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../../engine/fake';
import { answerFees, FakeFees } from '../../engine/fake-fees';
import { answerGuard, FakeGuard } from '../../engine/fake-guard';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { notices } from '../../state/notices.svelte';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import type { ScannedShop } from '../../wire/ScannedShop';
import WithdrawSheet from './bank/WithdrawSheet.svelte';
import TransferSheet from './chat/TransferSheet.svelte';
import { feeDue, feeText } from './fees';
import LimitsPage from './guard/LimitsPage.svelte';
import PayShop from './shop/PayShop.svelte';

const BOB = 'bob@home.example';
let bank: FakeBank;
let fees: FakeFees;
let fake: FakeEngine;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  fees = new FakeFees(bank);
  fake = answerFees(answerGuard(answerWallet(new FakeEngine(), bank), new FakeGuard(bank)), fees);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  wallet.clear();
  notices.toasts = [];
  await wallet.load();
});
afterEach(() => {
  cleanup();
  session.me = null;
});

const press = async (name: string | RegExp): Promise<boolean> => fireEvent.click((await screen.findAllByRole('button', { name, hidden: true }, { timeout: 4_000 })).at(-1) ?? document.body);
const fill = async (label: string, value: string): Promise<boolean> => fireEvent.input(await screen.findByLabelText(label, {}, { timeout: 4_000 }), { target: { value } });
const shows = (text: string | RegExp): Promise<void> => waitFor(() => void expect(screen.getAllByText(text).length).toBeGreaterThan(0), { timeout: 4_000 });
const paid = (): number => fake.calls.filter(({ call }) => call === 'pay').length;

describe('what a fee comes to', () => {
  const fee = { fixed: '10', points: '150', least: '0', most: '200' };

  it('is reckoned as the node does it', () => {
    expect(feeDue(fee, 1_000n)).toBe(25n);
    expect(feeDue({ ...fee, fixed: '0' }, 33n)).toBe(0n);
    expect(feeDue({ ...fee, fixed: '0' }, 34n)).toBe(1n);
    expect(feeDue({ ...fee, fixed: '0', points: '5000' }, 1n)).toBe(1n);
    expect(feeDue({ ...fee, least: '50' }, 1_000n)).toBe(50n);
    expect(feeDue(fee, 100_000n)).toBe(200n);
    expect(feeDue(fee, 5n)).toBe(5n);
  });

  it('is said in words', () => {
    expect(feeText(undefined, EUR, 'en')).toBe('Free');
    expect(feeText(fee, EUR, 'en').replace(/\s/g, ' ')).toBe('0.10 EUR + 1.5%, at most 2.00 EUR');
    expect(feeText({ fixed: '0', points: '0', least: '5', most: '0' }, EUR, 'en').replace(/\s/g, ' ')).toBe('at least 0.05 EUR');
  });
});

describe('whoever pays', { timeout: 20_000 }, () => {
  async function send(): Promise<void> {
    render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
    await fill('Amount', '10');
    await press('Continue');
  }

  it('sees the fee and the total before the PIN', async () => {
    fees.set('eur', ['person', '10', '150', '0', '0']);
    await wallet.load();
    render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
    await fill('Amount', '10');
    await shows(/Fee 0\.25.EUR · 10\.25.EUR in all/);
    expect(fees.asked).toEqual([]);
    await press('Continue');
    await shows(/10\.25.EUR in all/);
    expect(fees.asked).toEqual(['person 1000']);
    await fill('Payment PIN', PIN);
    await waitFor(() => expect(paid()).toBe(1));
  });

  it('is asked for nothing where it is free', async () => {
    await send();
    await fill('Payment PIN', PIN);
    await waitFor(() => expect(paid()).toBe(1));
    expect(fees.asked).toEqual([]);
    expect(screen.queryByText(/Fee/)).toBeNull();
  });

  it('cannot pay before the fee stands there', async () => {
    fees.set('eur', ['person', '10', '0', '0', '0']);
    await wallet.load();
    fake.on('fee', () => {
      throw fail('offline');
    });
    await send();
    await shows('Try again');
    expect((screen.getByLabelText('Payment PIN') as HTMLInputElement).disabled || (screen.getByLabelText('Payment PIN') as HTMLInputElement).readOnly).toBe(true);
    await fill('Payment PIN', PIN);
    expect(paid()).toBe(0);
  });

  it('is shown it anew as long as it stands there, so that it holds however long one looks at it', async () => {
    fees.set('eur', ['person', '10', '0', '0', '0']);
    await wallet.load();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      await send();
      await shows(/10\.10.EUR in all/);
      expect(fees.asked).toHaveLength(1);
      fees.set('eur', ['person', '30', '0', '0', '0']);
      await vi.advanceTimersByTimeAsync(4 * 60_000);
      await shows(/10\.30.EUR in all/);
      expect(fees.asked).toHaveLength(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is shown the new one where it was raised in between', async () => {
    await send();
    await shows('Payment PIN');
    // The node takes a fee by now, and this device has not heard of it.
    fees.set('eur', ['person', '30', '0', '0', '0']);
    const ids: unknown[] = [];
    fake.on('pay', ({ id, user, asset, amount }) => {
      ids.push(id);
      if (fees.asked.length === 0) throw fail('fee_too_low');
      return bank.view(bank.move({ id, purpose: 'payment', asset, from: ME, to: user, amount: BigInt(amount) }));
    });
    await fill('Payment PIN', PIN);
    await shows(/The fee has changed/);
    await shows(/10\.30.EUR in all/);
    await fill('Payment PIN', PIN);
    await waitFor(() => expect(bank.balance(BOB, 'eur')).toBe(1_000n));
    expect(new Set(ids).size).toBe(2);
  });
});

describe('whoever has too little for the fee', { timeout: 20_000 }, () => {
  const tooMuch = /This is more than the 100\.00.EUR/;
  const closed = (name: RegExp | string): boolean => (screen.getAllByRole('button', { name, hidden: true }).at(-1) as HTMLButtonElement).disabled;

  it('is told so in the form of a transfer', async () => {
    fees.set('eur', ['person', '10', '0', '0', '0']);
    await wallet.load();
    render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
    await fill('Amount', '99.95');
    await shows(tooMuch);
    await shows(/100\.05.EUR in all/);
    await press('Continue');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Amount')));
    expect(screen.queryByLabelText('Payment PIN')).toBeNull();
    await fill('Amount', '99.90');
    await waitFor(() => expect(screen.queryByText(tooMuch)).toBeNull());
    await press('Continue');
    expect(screen.getByLabelText('Payment PIN')).toBeTruthy();
  });

  it('is told so in the form of a withdrawal', async () => {
    fees.set('eur', ['out', '100', '0', '0', '0']);
    await wallet.load();
    render(WithdrawSheet, { choices: [{ asset: EUR, title: 'Euro', available: '10000' }], onclose: () => undefined });
    await fill('Amount', '99.50');
    await shows(tooMuch);
    await shows(/100\.50.EUR in all/);
    await press('Continue');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Amount')));
    expect(screen.queryByLabelText('Payment PIN')).toBeNull();
  });

  it('is told so in a shop', async () => {
    fees.set('eur', ['shop', '0', '150', '0', '0']);
    await wallet.load();
    const scanned: ScannedShop = { shop: 'corner@home.example', title: 'Corner shop', verified: true, open: true, asset: { ...EUR }, amount: '9900', tip_allowed: false, bill: '', till: null, sale: 's1', state: 'open', until_ms: null, expired: false };
    render(PayShop, { scanned, onclose: () => undefined });
    await shows(tooMuch);
    await shows(/Fee 1\.49.EUR · 100\.49.EUR in all/);
    expect(closed(/^Pay 99/)).toBe(true);
  });

  it('cannot pay where the node takes more by then, until there is enough', async () => {
    fees.set('eur', ['person', '10', '0', '0', '0']);
    await wallet.load();
    fees.set('eur', ['person', '500', '0', '0', '0']);
    render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
    await fill('Amount', '99');
    await press('Continue');
    await shows(/Fee 5\.00.EUR/);
    await shows(tooMuch);
    await fill('Payment PIN', PIN);
    expect(paid()).toBe(0);
    bank.move({ id: 'i2', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 1_000n });
    await wallet.load();
    await waitFor(() => expect(screen.queryByText(/This is more than/)).toBeNull());
    await fill('Payment PIN', '');
    await fill('Payment PIN', PIN);
    await waitFor(() => expect(paid()).toBe(1));
  });
});

describe('the owner', { timeout: 20_000 }, () => {
  it('sets what is taken, and sees what it comes to', async () => {
    render(LimitsPage);
    await press(/Fee: in shops/);
    await shows('Free');
    await fill('For each payment', '0.10');
    await fill('Of the amount, in percent', '101');
    await shows('From 0 to 100, with at most two decimals.');
    await fill('Of the amount, in percent', '1.5');
    await fill('Fee at least', '0.30');
    await fill('Fee at most', '0.20');
    await shows('The most is below what is taken at least.');
    await fill('Fee at most', '2');
    await shows(/^0\.85.EUR$/);
    await press('Save');
    await shows(/0\.10.EUR \+ 1\.5%, at least 0\.30.EUR, at most 2\.00.EUR/);
    expect(fees.all('eur')).toEqual([['shop', '10', '150', '30', '200']]);
  });

  it('takes out what was earned', async () => {
    fees.earned = 525n;
    fees.held = 30n;
    render(LimitsPage);
    await press(/Earned fees/);
    await shows(/0\.30.EUR more is held/);
    await fill('Take to my account', '5.26');
    await shows(/at most|more than/i);
    await fill('Take to my account', '5');
    await press('Take to my account');
    await waitFor(() => expect(fees.earned).toBe(25n));
    expect(notices.toasts.map((one) => one.text).join().replace(/\s/g, ' ')).toContain('5.00 EUR is on your account.');
  });
});
