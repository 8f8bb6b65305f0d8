import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerBills, FakeBills } from '../../../engine/fake-bills';
import { chat, contact, FakeEngine, fail, ME, message } from '../../../engine/fake';
import { FakeMall } from '../../../engine/fake-shops';
import { answerShops } from '../../../engine/fake-tills';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { bills } from '../../../state/bills.svelte';
import { contacts } from '../../../state/contacts.svelte';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import Services from '../Services.svelte';
import BillPages from './BillPages.svelte';
import { readLine, sumsOf } from './sums';
import { plainNumber, stateOf } from './words';

const [BOB, CAROL, SHOP] = ['bob@home.example', 'carol@home.example', 'corner@home.example'];
const DAY = 86_400_000;
const BASE = ['me', 'wallet', 'invoices'];
let now: number;
let bank: FakeBank;
let book: FakeBills;
let fake: FakeEngine;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  location.hash = '';
  wallet.clear();
  now = Date.now();
  bank = new FakeBank(() => now).define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  const mall = new FakeMall(bank);
  book = new FakeBills(mall);
  fake = answerBills(answerShops(answerWallet(new FakeEngine(), bank), mall), book);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  for (const user of [ME, BOB]) bank.move({ id: `i${user}`, purpose: 'issue', asset: 'eur', from: 'node', to: user, amount: 10_000n });
  mall.found(ME, 'corner', { title: 'Corner shop', merchant_name: 'Corner shop', city: 'Berlin', country: 'DE', mcc: 5411 });
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const fill = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
let count = 0;
/** Bob bills alice: two hours at 18.00, 19 % on top. */
const billed = (part: { by?: string; user?: string; shop?: string | null; due?: number } = {}) => book.send(part.by ?? BOB, { id: `b${(count += 1)}`, shop: part.shop ?? null, user: part.user ?? ME, asset: 'eur', lines: [['Garden work', '2000', '1800', '190']], total: '4284', due_ms: part.due ?? now + DAY, note: 'Thanks' });

describe('a reminder', () => {
  const late = () => {
    const sent = billed({ by: ME, user: BOB, due: now + DAY });
    now += 2 * DAY;
    return sent;
  };
  const open = (issuer: string, invoice: string) => render(BillPages, { base: BASE, rest: [issuer.slice(0, issuer.lastIndexOf('@')), invoice] });

  it('goes to the chat with whoever is late, once a day', async () => {
    const texts: string[] = [];
    fake.on('contacts', () => [contact(BOB, 'Bob')]).on('messages', () => ({ chat: `chat-${BOB}`, messages: texts.map((text, at) => message(`m${at}`, at, { mine: true, body: { kind: 'text', text }, time_ms: Date.now() })), more: false }));
    // Nobody has opened the chat with him yet: until then there is none to write to.
    let opened = false;
    fake.on('open_chat', ({ user }) => ((opened = true), chat(user, 'Bob')));
    fake.on('send_text', ({ text }) => {
      if (!opened) throw fail('unknown_chat');
      return message(`m${texts.push(text)}`, 1, { mine: true, text });
    });
    await contacts.load();
    const { invoice } = late();
    const { unmount } = open(ME, invoice);
    await fireEvent.click(await screen.findByRole('button', { name: 'Remind' }));
    await screen.findByText(/was reminded today/);
    expect(texts[0]).toMatch(/^A reminder: invoice 1 for 42\.84.* RF/);
    unmount();
    open(ME, invoice);
    await screen.findByText(/was reminded today/);
    expect(screen.queryByRole('button', { name: 'Remind' })).toBeNull();
  });

  it('is not to be had where there is no chat, or nobody is late', async () => {
    fake.on('contacts', () => []);
    await contacts.load();
    open(ME, late().invoice);
    await screen.findByRole('article');
    expect(screen.queryByRole('button', { name: 'Remind' })).toBeNull();
  });

  it('of what is to be paid stands in the wallet', async () => {
    billed();
    const { unmount } = render(Services, { account: true });
    await screen.findByText('1 bill is due');
    expect(screen.queryByText('Overdue')).toBeNull();
    unmount();
    billed();
    now += 2 * DAY;
    render(Services, { account: true });
    await screen.findByText('2 bills are due');
    await screen.findByText('Overdue');
  });
});

describe('what lines come to', () => {
  const line = (quantity: bigint, price: bigint, tax: bigint | null) => ({ text: 'tea', quantity, price, tax });

  it('is reckoned as the node does it', () => {
    expect(sumsOf([line(1_000n, 33n, 190n), line(1_000n, 33n, 190n), line(1_000n, 33n, 190n)])).toEqual({ net: 99n, taxes: [{ rate: 190n, tax: 19n }], total: 118n });
    const mixed = sumsOf([line(1_500n, 333n, 70n), line(1n, 500n, null), line(2_000n, 50n, 0n)]);
    expect([mixed.net, mixed.total, mixed.taxes.map(({ rate }) => rate)]).toEqual([601n, 636n, [0n, 70n]]);
  });

  it('is read as people write it, and nothing else', () => {
    const typed = { text: ' tea ', quantity: '1,5', price: '4,00', tax: '7' };
    expect(readLine(typed, 2, 'de')).toEqual({ line: { text: 'tea', quantity: 1_500n, price: 400n, tax: 70n } });
    expect(readLine({ ...typed, price: '0', tax: '' }, 2, 'de').line).toMatchObject({ price: 0n, tax: null });
    for (const [field, wrong] of [['text', ' '], ['quantity', '0'], ['quantity', '-1'], ['quantity', '1,0005'], ['price', 'much'], ['price', '4,001'], ['tax', '101'], ['tax', '1,55'], ['tax', 'x']] as const) {
      expect(readLine({ ...typed, [field]: wrong }, 2, 'de').wrong, `${field} ${wrong}`).toEqual({ [field]: true });
    }
    expect([plainNumber('1500', 3, 'de'), plainNumber('2000', 3, 'de'), plainNumber(190, 1, 'en'), plainNumber(75, 1, 'en')]).toEqual(['1,5', '2', '19', '7.5']);
  });
});

describe('an invoice that one is to pay', () => {
  it('is paid in three taps and the PIN, once', async () => {
    const { invoice } = billed();
    render(BillPages, { base: BASE, rest: [] });
    const row = await screen.findByRole('link', { name: /Bob Okafor/ });
    expect(row.getAttribute('href')).toBe(`#/me/wallet/invoices/bob/${invoice}`);
    cleanup();
    render(BillPages, { base: BASE, rest: ['bob', invoice] });
    const paper = within(await screen.findByRole('article'));
    for (const text of ['Garden work', 'Thanks', 'RF18 5390 0754 7034']) expect(paper.getByText(text)).toBeTruthy();
    await waitFor(() => expect(screen.getByRole('button', { name: /^Pay 42\.84/ }).hasAttribute('disabled')).toBe(false));
    await press(/^Pay 42\.84/);
    await fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: PIN } });
    await waitFor(() => expect(paper.getByText('Paid')).toBeTruthy());
    expect(bank.balance(BOB, 'eur')).toBe(14_284n);
    expect(screen.queryByRole('button', { name: /^Pay/ })).toBeNull();
    await expect(bills.pay({ id: 'other', user: BOB, invoice, asset: 'eur', amount: '4284', exchange: null, pin: PIN })).rejects.toMatchObject({ code: 'already_paid' });
  });

  it('says beside the PIN that it was taken back meanwhile, and then shows it so', async () => {
    const one = billed();
    render(BillPages, { base: BASE, rest: ['bob', one.invoice] });
    await waitFor(() => expect(screen.getByRole('button', { name: /^Pay 42/ }).hasAttribute('disabled')).toBe(false));
    await press(/^Pay 42/);
    one.cancelled = true;
    await fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: PIN } });
    await waitFor(() => expect(screen.getByText(/was cancelled\. Nothing was paid/)).toBeTruthy());
    await waitFor(() => expect(screen.getByText('Cancelled')).toBeTruthy());
    expect(bank.balance(ME, 'eur')).toBe(10_000n);
  });

  it('cannot be paid with more than there is, and says so', async () => {
    bank.move({ id: 'gone', purpose: 'payment', asset: 'eur', from: ME, to: BOB, amount: 9_000n });
    const { invoice } = billed();
    render(BillPages, { base: BASE, rest: ['bob', invoice] });
    await waitFor(() => expect(screen.getByText(/10\.00/)).toBeTruthy());
    expect(screen.getByRole('button', { name: /^Pay 42/ }).hasAttribute('disabled')).toBe(true);
  });

  it('counts its fee before anybody is asked for the PIN', async () => {
    bank.define(EUR, { title: 'Euro', fees: [['shop', '10', '0', '0', '0']] });
    bank.move({ id: 'gone', purpose: 'payment', asset: 'eur', from: ME, to: BOB, amount: 5_716n });
    const { invoice } = billed();
    render(BillPages, { base: BASE, rest: ['bob', invoice] });
    await waitFor(() => expect(screen.getByText(/Fee .*0\.10.* · .*42\.94.* in all/)).toBeTruthy());
    expect(screen.getByRole('button', { name: /^Pay 42/ }).hasAttribute('disabled')).toBe(true);
  });

  it('is overdue by the time of the node, and others are not shown it', async () => {
    const late = billed();
    now += DAY;
    expect(stateOf(await bills.get(BOB, late.invoice))).toEqual({ text: 'Overdue', tone: 'danger' });
    const hers = billed({ user: CAROL });
    render(BillPages, { base: BASE, rest: ['bob', hers.invoice] });
    await waitFor(() => expect(screen.getByText('No such invoice')).toBeTruthy());
  });
});

describe('an invoice that one sends', () => {
  const write = async (): Promise<void> => {
    render(BillPages, { base: BASE, rest: ['new'] });
    await screen.findByLabelText('What for');
    await fill('Member', 'bob');
    await fill('What for', 'Bread');
    await fill('Quantity', '2.5');
    await fill('Price each', '4');
    await fill('Tax', '7');
  };

  it('goes out once with what was seen, and is shown then', async () => {
    await write();
    expect(screen.getByText(/^10\.70/)).toBeTruthy();
    await press('Send invoice');
    await waitFor(() => expect(book.invoices).toHaveLength(1));
    expect(book.invoices[0]).toMatchObject({ to: BOB, lines: [['Bread', '2500', '400', '70']], number: 1 });
    await waitFor(() => expect(location.hash).toBe(`#/me/wallet/invoices/alice/${book.invoices[0]?.invoice}`));
  });

  it('is not sent as long as something is wrong, which stands beside it', async () => {
    await write();
    await fill('Quantity', '0');
    await fill('What for', '');
    await press('Send invoice');
    expect(screen.getByText('Say what it is')).toBeTruthy();
    expect(screen.getByText('More than 0, at most 3 decimals')).toBeTruthy();
    await fill('Quantity', '1');
    await fill('What for', 'Bread');
    await fill('Member', 'nobody');
    await press('Send invoice');
    await waitFor(() => expect(screen.getByText('Nobody here has this name')).toBeTruthy());
    await fill('Member', 'alice');
    expect(screen.getByText('That is you')).toBeTruthy();
    await press('Send invoice');
    expect(book.invoices).toHaveLength(0);
  });

  it('is taken back, and can be paid no more', async () => {
    const { invoice } = billed({ by: ME, user: BOB });
    render(BillPages, { base: BASE, rest: ['alice', invoice] });
    await screen.findByRole('article');
    expect(screen.queryByRole('button', { name: /^Pay/ })).toBeNull();
    await press('Cancel invoice');
    const buttons = await screen.findAllByRole('button', { name: 'Cancel invoice', hidden: true });
    await fireEvent.click(buttons.at(-1) as HTMLElement);
    await waitFor(() => expect(screen.getByText('Cancelled')).toBeTruthy());
    expect(() => book.pay(BOB, { id: 'p', user: ME, invoice, asset: 'eur', amount: '4284' })).toThrow(expect.objectContaining({ code: 'invoice_cancelled' }));
  });

  it('is taken back, and refunded, out of the list, where both kinds stand', async () => {
    const sent = billed({ by: ME, user: BOB });
    billed();
    render(BillPages, { base: BASE, rest: [] });
    expect((await screen.findByRole('link', { name: /^From Bob/ })).textContent).toContain('42.84');
    expect(screen.getAllByRole('button', { name: /^Cancel invoice/ })).toHaveLength(1);
    await press('Cancel invoice · Invoice 1');
    await fireEvent.click(screen.getByRole('button', { name: 'Cancel invoice', hidden: true }));
    await waitFor(() => expect(screen.getByText('Cancelled')).toBeTruthy());
    expect(sent.cancelled).toBe(true);
    const paid = billed({ by: ME, user: BOB });
    book.pay(BOB, { id: 'p', user: ME, invoice: paid.invoice, asset: 'eur', amount: '4284' });
    wallet.reload();
    await fireEvent.click(await screen.findByRole('button', { name: 'Refund · Invoice 2' }));
    await press('Continue');
    await fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: PIN } });
    await waitFor(() => expect(screen.getByText('Refunded')).toBeTruthy());
    expect(bank.balance(ME, 'eur')).toBe(10_000n);
  });

  it('of a shop gives money back from the shop', async () => {
    const { invoice } = billed({ by: ME, shop: SHOP, user: BOB });
    book.pay(BOB, { id: 'p', user: SHOP, invoice, asset: 'eur', amount: '4284' });
    const changed = await bills.refund({ id: 'r', user: SHOP, invoice, amount: '284', pin: PIN });
    expect([changed.refunded, stateOf(changed).text, bank.balance(SHOP, 'eur')]).toEqual(['284', 'Partly refunded', 4_000n]);
    expect((await bills.list(true, SHOP, null)).invoices.map((one) => one.invoice)).toEqual([invoice]);
  });

  it('says what went wrong when the list cannot be had', async () => {
    fake.on('invoices', () => {
      throw fail('offline');
    });
    render(BillPages, { base: BASE, rest: [] });
    await waitFor(() => expect(screen.getByRole('button', { name: 'Try again' })).toBeTruthy());
  });
});
