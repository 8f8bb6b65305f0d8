import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import type { TransferView } from '../../wire/TransferView';
import TransferSheet from './chat/TransferSheet.svelte';
import { standing } from './chat/cards';

const BOB = 'bob@away.example';
const USD = { id: 'usd', issuer: 'away.example', code: 'USD', scale: 2 };
let fake: FakeEngine;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = function () {
    this.setAttribute('open', '');
  };
  HTMLDialogElement.prototype.close = vi.fn();
  wallet.clear();
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd1', role: 'member', phrase_confirmed: true };
  const bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  bank.links = [{ node: 'away.example', assets: ['eur', 'usd'], rates: [{ give: 'eur', get: USD, numerator: '109', denominator: '1000', rate: '0.109' }] }];
  fake = answerWallet(new FakeEngine(), bank);
  useEngine(fake);
  await wallet.load();
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const type = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const paid = (): unknown[] => fake.calls.filter(({ call }) => call === 'pay');

describe('money for somebody at a server with which there is a rate', () => {
  it('shows what goes and what they get before the PIN, and asks for just that', async () => {
    render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
    await type('Amount', '12');
    await fireEvent.change(screen.getByLabelText('They get'), { target: { value: 'usd' } });
    await waitFor(() => expect(screen.getByText('12.00 EUR → 1.30 USD at 0.109')).toBeTruthy());
    await fireEvent.click(screen.getByRole('button', { name: 'Continue' }));
    await waitFor(() => expect(screen.getByText('12.00 EUR → 1.30 USD at 0.109')).toBeTruthy());
    await fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: PIN } });
    await waitFor(() => expect(paid()).toMatchObject([{ user: BOB, asset: 'eur', amount: '1200', exchange: ['usd', '130'] }]));
  });

  it('is the same money where nothing else is chosen', async () => {
    render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
    await type('Amount', '12');
    await fireEvent.click(screen.getByRole('button', { name: 'Continue' }));
    await fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: PIN } });
    await waitFor(() => expect(paid()).toHaveLength(1));
    expect(paid()[0]).not.toHaveProperty('exchange');
  });

  it('is nothing where there is nothing for so little', async () => {
    render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
    await type('Amount', '0.05');
    await fireEvent.change(screen.getByLabelText('They get'), { target: { value: 'usd' } });
    await waitFor(() => expect(screen.getByText(/For so little/)).toBeTruthy());
    await fireEvent.click(screen.getByRole('button', { name: 'Continue' }));
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Amount')));
    expect(screen.queryByLabelText('Payment PIN')).toBeNull();
  });

  it('is told of by a card that says what was paid, to whoever got something else', () => {
    const asset = { id: 'eur', issuer: 'home.example', code: 'EUR', scale: 2 };
    const person = (user: string): TransferView['payer'] => ({ user, name: user });
    const value: TransferView = { id: 't', payer: person(ME), payee: person(BOB), mine: false, asset: USD, amount: '130', refunded: '0', request: null, shop: null, state: 'done', time_ms: 1, until_ms: null, exchange: { asset, amount: '1200' } };
    const look = (amount: string): string => standing({ kind: 'transfer', transfer: 't', asset, amount, note: '' }, { sender: ME }, { user: ME }, BOB, { value, error: null });
    expect([look('1200'), look('1201')]).toEqual(['done', 'differs']);
  });
});
