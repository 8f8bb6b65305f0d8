import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chat, contact, FakeEngine, ME, message } from '../../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { contacts } from '../../../state/contacts.svelte';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import type { CardMessage } from '../../../state/cards';
import type { InvoiceView } from '../../../wire/InvoiceView';
import MoneyCard from '../chat/MoneyCard.svelte';
import BillPages from './BillPages.svelte';
import { backText } from './words';

const BOB = 'bob@away.example';
const USD = { id: 'usd', issuer: 'away.example', code: 'USD', scale: 2 };
const BASE = ['me', 'wallet', 'invoices'];
let fake: FakeEngine;
let bill: InvoiceView;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  location.hash = '';
  wallet.clear();
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd1', role: 'member', phrase_confirmed: true };
  const bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  bank.links = [{ node: 'away.example', assets: ['eur', 'usd'], rates: [{ give: 'eur', get: USD, numerator: '109', denominator: '100', rate: '1.09' }] }];
  const person = (user: string): InvoiceView['to'] => ({ user, name: user });
  const line = { text: 'Apples', quantity: '1000', unit_price: '1000', tax_rate: null, net: '1000' };
  bill = { invoice: 'b1', issuer: { user: BOB, name: 'Bob' }, shop: false, to: person(ME), mine: true, number: 3, reference: 'RF18', asset: { ...EUR }, lines: [line], net: '1000', taxes: [], total: '1000', note: '', time_ms: 1, due_ms: Date.now() + 86_400_000, state: 'open', by: null, transfer: null, paid_ms: null, refunded: '0', at_rate: false, rejection: null };
  fake = answerWallet(new FakeEngine(), bank);
  fake.on('invoice', () => bill).on('contacts', () => [contact(BOB, 'Bob'), contact('carol@home.example', 'Carol'), contact('dave@far.example', 'Dave')]);
  fake.on('pay_invoice', () => (bill = { ...bill, state: 'paying' })).on('tell_invoice', () => bill);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  await Promise.all([wallet.load(), contacts.load()]);
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const there = (text: string | RegExp): Promise<void> => waitFor(() => void expect(screen.getAllByText(text).length).toBeGreaterThan(0));
const unlock = (): Promise<boolean> => fireEvent.input(screen.getByLabelText('Payment PIN'), { target: { value: PIN } });
const asked = (what: string): unknown[] => fake.calls.filter(({ call }) => call === what);
const open = () => render(BillPages, { base: BASE, rest: [BOB, 'b1'] });

describe('an invoice of another server', () => {
  it('is paid once that says so, and not before', async () => {
    open();
    await there('From another server: away.example has signed what this invoice says.');
    await press(/^Pay 10\.00/);
    await unlock();
    await there('The payment is under way. away.example says when it has arrived.');
    expect(asked('pay_invoice')).toMatchObject([{ user: BOB, invoice: 'b1', asset: 'eur', amount: '1000', exchange: null }]);
    expect(screen.queryByRole('button', { name: /^Pay/ })).toBeNull();
    bill = { ...bill, state: 'paid', transfer: 't1', paid_ms: 2 };
    fake.emit({ event: 'wallet' });
    await there('Paid');
  });

  it('is paid with the own money at the rate, and whoever pays sees how much', async () => {
    bill = { ...bill, asset: USD };
    open();
    await press(await waitFor(() => /^Pay 9\.18/));
    await there(/1\.09/);
    await unlock();
    await waitFor(() => expect(asked('pay_invoice')).toMatchObject([{ asset: 'eur', amount: '918', exchange: ['usd', '1000'] }]));
  });

  it.each([
    ['over', 'The invoice was cancelled.'],
    ['paid', 'This bill was paid already.'],
    ['asked', 'It is not what the invoice asks for.'],
    ['rate', 'The rate of exchange has changed meanwhile.'],
    ['expired', 'The other server did not answer in time.'],
    ['closed', 'The shop takes no money now.'],
    ['of tomorrow', 'The other server did not take the payment.'],
  ])('says why the money came back: %s', async (rejection, why) => {
    expect(backText(rejection)).toBe(why);
    bill = { ...bill, rejection };
    open();
    await there(`It came back. ${why}`);
  });

  it('that was paid at a rate is not given back', async () => {
    bill = { ...bill, mine: false, issuer: { user: ME, name: 'Alice' }, to: { user: BOB, name: 'Bob' }, state: 'paid', transfer: 't1', paid_ms: 2, at_rate: true };
    render(BillPages, { base: BASE, rest: ['alice', 'b1'] });
    await there('Paid');
    expect(screen.queryByRole('button', { name: 'Refund' })).toBeNull();
  });
});

describe('an invoice for somebody of another server', () => {
  it('is for a contact whom money reaches, and says so', async () => {
    render(BillPages, { base: BASE, rest: ['new'] });
    await press(await waitFor(() => (screen.getByRole('button', { name: 'Bob' }), 'Bob')));
    await there(/The invoice goes to the chat with them\. away\.example is another server/);
    expect(screen.queryByLabelText('Member')).toBeNull();
    await press('Somebody else');
    expect(screen.getByLabelText('Member')).toBeTruthy();
    for (const name of ['Carol', 'Dave']) expect(screen.queryByRole('button', { name })).toBeNull();
  });

  it('is told once more in the chat', async () => {
    bill = { ...bill, mine: false, issuer: { user: ME, name: 'Alice' }, to: { user: BOB, name: 'Bob' } };
    render(BillPages, { base: BASE, rest: ['alice', 'b1'] });
    await screen.findByRole('article');
    await press('Send to the chat again');
    await waitFor(() => expect(asked('tell_invoice')).toMatchObject([{ user: ME, invoice: 'b1' }]));
  });
});

describe('its card in a chat', () => {
  const shown = (total = '1000') => {
    const body = { kind: 'invoice', issuer: BOB, invoice: 'b1', number: 3, asset: { ...EUR }, total, due_ms: bill.due_ms } as const;
    const card = message('m1', 1, { sender: BOB, mine: false, body }) as CardMessage;
    return render(MoneyCard, { chat: chat(BOB, 'Bob'), message: card, onopen: vi.fn() });
  };

  it('opens the invoice, and says how it stands', async () => {
    shown();
    await there(/^Waiting · due/);
    expect(screen.getByRole('link').getAttribute('href')).toBe('#/me/wallet/invoices/bob%40away.example/b1');
    bill = { ...bill, state: 'paid', transfer: 't1' };
    fake.emit({ event: 'wallet' });
    await there('Paid');
  });

  it('that says something else than the invoice is no such', async () => {
    shown('1');
    await there('Not what the invoice says');
    expect(screen.getAllByText(/^10\.00/)).toHaveLength(1);
  });
});
