import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PASSWORD, PIN } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { notices } from '../../state/notices.svelte';
import { freshId, wallet } from '../../state/wallet.svelte';
import { isSimple } from './pin';
import PinSheet from './PinSheet.svelte';

const BOB = { user: 'bob@home.example', name: 'Bob' };
let at = 0;
let bank: FakeBank;
let fake: FakeEngine;
let ondone: () => void;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  at = 1_000;
  bank = new FakeBank(() => at).define(EUR);
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  fake = answerWallet(new FakeEngine(), bank);
  useEngine(fake);
  ondone = vi.fn();
  wallet.clear();
  notices.toasts = [];
  await wallet.load();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function open(amount = '1234'): void {
  const id = freshId();
  const onpin = async (pin: string): Promise<void> => void (await wallet.pay({ id, user: BOB.user, asset: 'eur', amount, note: '', hold: false, chat: null, request: null, refunds: null, pin }));
  render(PinSheet, { title: 'Pay', minor: amount, asset: EUR, payee: BOB, onpin, ondone, onclose: () => undefined });
}
const digits = (label = 'Payment PIN'): HTMLInputElement => screen.getByLabelText(label);
const type = (pin: string, label?: string): Promise<boolean> => fireEvent.input(digits(label), { target: { value: pin } });
const paid = (): bigint => bank.balance(BOB.user, 'eur');

describe('the sheet that asks for the PIN', () => {
  it('says what it is for, and pays once six digits are there', async () => {
    open();
    expect(screen.getByText('12.34 EUR')).toBeTruthy();
    expect(screen.getByText('bob@home.example')).toBeTruthy();
    await type(PIN.slice(0, 5));
    expect(paid()).toBe(0n);
    await type(PIN);
    await waitFor(() => expect(ondone).toHaveBeenCalledOnce());
    expect(paid()).toBe(1_234n);
    expect(digits().value).toBe('');
  });

  it('takes nothing but digits', async () => {
    open();
    await type('2a7 1');
    expect(digits().value).toBe('271');
  });

  it('says that a PIN is wrong, forgets it, and takes another', async () => {
    open();
    await type('000001');
    await waitFor(() => expect(screen.getByRole('alert', { hidden: true }).textContent).toBe('This is not your payment PIN.'));
    expect(digits().value).toBe('');
    await type(PIN);
    await waitFor(() => expect(ondone).toHaveBeenCalledOnce());
  });

  it('is shut for a while after several wrong ones, and says how long', async () => {
    vi.useFakeTimers({ now: 5_000_000, shouldAdvanceTime: true });
    open();
    for (let wrong = 0; wrong < 5; wrong += 1) {
      await type('000001');
      await waitFor(() => expect(digits().value).toBe(''));
    }
    await waitFor(() => expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('1:00'));
    const tries = fake.calls.filter(({ call }) => call === 'pay').length;
    await type(PIN);
    expect(fake.calls.filter(({ call }) => call === 'pay')).toHaveLength(tries);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(screen.getByRole('alert', { hidden: true }).textContent).toMatch(/0:(39|40)/);
    at += 61_000;
    await vi.advanceTimersByTimeAsync(41_000);
    await type(PIN);
    await waitFor(() => expect(ondone).toHaveBeenCalledOnce());
  });

  it('shows why the node said no, and stays', async () => {
    open('10001');
    await type(PIN);
    await waitFor(() => expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('not enough money'));
    expect(ondone).not.toHaveBeenCalled();
  });

  it('closes where the payment may have been made, and says so', async () => {
    bank.silent = true;
    open();
    await type(PIN);
    await waitFor(() => expect(ondone).toHaveBeenCalledOnce());
    expect(notices.toasts.map((toast) => toast.text).join()).toContain('may have been made');
  });

  it('has a PIN chosen first where there is none, and leads back into the payment', async () => {
    bank.pin = null;
    await wallet.load();
    open();
    await type('123456', 'New payment PIN');
    expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('guessed first');
    await type(PIN, 'New payment PIN');
    await type('271829', 'The same PIN again');
    expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('not the same');
    await type(PIN, 'New payment PIN');
    await type(PIN, 'The same PIN again');
    const password = screen.getByLabelText('Confirm with your account password');
    await fireEvent.input(password, { target: { value: 'guessed' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Set payment PIN', hidden: true }));
    await waitFor(() => expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('not your current password'));
    expect(bank.pin).toBeNull();
    await fireEvent.input(password, { target: { value: PASSWORD } });
    await fireEvent.click(screen.getByRole('button', { name: 'Set payment PIN', hidden: true }));
    await waitFor(() => expect(screen.getByText('12.34 EUR')).toBeTruthy());
    expect(paid()).toBe(0n);
    await type(PIN);
    await waitFor(() => expect(paid()).toBe(1_234n));
  });

  it('learns from the engine that the PIN is gone', async () => {
    open();
    fake.on('pay', () => {
      throw fail('no_pin');
    });
    await type(PIN);
    await waitFor(() => expect(screen.getByLabelText('New payment PIN')).toBeTruthy());
  });
});

describe('a PIN', () => {
  it('is refused when it is what anybody tries first', () => {
    for (const pin of ['000000', '777777', '123456', '654321', '567890', '098765']) expect(isSimple(pin), pin).toBe(true);
    for (const pin of [PIN, '121212', '135791', '112233', '123457']) expect(isSimple(pin), pin).toBe(false);
  });
});
