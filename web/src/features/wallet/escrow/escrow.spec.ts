import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerEscrows, FakeEscrows } from '../../../engine/fake-escrow';
import { FakeEngine, ME } from '../../../engine/fake';
import { FakeMall } from '../../../engine/fake-shops';
import { answerShops } from '../../../engine/fake-tills';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import type { ShopView } from '../../../wire/ShopView';
import EscrowPages from './EscrowPages.svelte';

const [BOB, CAROL, SHOP] = ['bob@home.example', 'carol@home.example', 'corner@home.example'];
const DAY = 86_400_000;
const BASE = ['me', 'wallet', 'escrow'];
let now: number;
let bank: FakeBank;
let mall: FakeMall;
let held: FakeEscrows;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  location.hash = '';
  wallet.clear();
  now = Date.now();
  bank = new FakeBank(() => now).define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  mall = new FakeMall(bank);
  held = new FakeEscrows(mall);
  const fake = answerEscrows(answerShops(answerWallet(new FakeEngine(), bank), mall), held);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  for (const user of [ME, BOB, CAROL]) bank.move({ id: `i${user}`, purpose: 'issue', asset: 'eur', from: 'node', to: user, amount: 10_000n });
  mall.found(BOB, 'corner', { title: 'Corner shop', merchant_name: 'Corner shop', city: 'Berlin', country: 'DE', mcc: 5411 });
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const fill = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const typePin = async (): Promise<boolean> => fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: PIN } });
const bought = () => held.fund(ME, { id: 'b', user: BOB, asset: 'eur', amount: 1_000n, note: 'bicycle', due_ms: now + 7 * DAY });
const sold = () => held.fund(BOB, { id: 's', user: ME, asset: 'eur', amount: 1_000n, note: 'bicycle', due_ms: now + 7 * DAY });
const has = (who: string): bigint => bank.balance(who, 'eur');

describe('what one buys', () => {
  it('is paid in under the PIN, and says when it goes back', async () => {
    render(EscrowPages, { base: BASE, rest: ['new'] });
    await screen.findByLabelText('Member');
    await fill('Member', 'bob');
    await fill('Amount', '10');
    await fill('What for', 'bicycle');
    await press('Continue');
    await typePin();
    await waitFor(() => expect(held.all).toHaveLength(1));
    expect(held.all[0]).toMatchObject({ seller: BOB, total: 1_000n, note: 'bicycle' });
    await waitFor(() => expect(location.hash).toBe(`#/me/wallet/escrow/${held.all[0]?.escrow}`));
    expect([has(ME), has(BOB)]).toEqual([9_000n, 10_000n]);
  });

  it('is released as a whole, once', async () => {
    const { escrow } = bought();
    render(EscrowPages, { base: BASE, rest: [escrow] });
    await screen.findByText(/goes back to/);
    await press(/^Release 10\.00/);
    await typePin();
    await waitFor(() => expect(screen.getByText('Released')).toBeTruthy());
    expect(screen.queryByRole('button', { name: /^Release/ })).toBeNull();
    expect([has(ME), has(BOB)]).toEqual([9_000n, 11_000n]);
    expect(() => held.settle(ME, escrow, 1_000n)).toThrow(expect.objectContaining({ code: 'already_decided' }));
  });

  it('is split as the seller asks', async () => {
    const { escrow } = bought();
    held.accept(BOB, escrow, 600n);
    render(EscrowPages, { base: BASE, rest: [escrow] });
    await screen.findByText(/6\.00.*4\.00/);
    await press(/^Agree to 6\.00/);
    await typePin();
    await waitFor(() => expect(screen.getByText('Split')).toBeTruthy());
    expect([has(ME), has(BOB)]).toEqual([9_400n, 10_600n]);
  });

  it('says that it was too late when the seller was quicker', async () => {
    const { escrow } = bought();
    render(EscrowPages, { base: BASE, rest: [escrow] });
    await screen.findByText(/goes back to/);
    await press(/^Release 10\.00/);
    held.accept(BOB, escrow, 0n);
    await typePin();
    await waitFor(() => expect(screen.getByText('Given back')).toBeTruthy());
    expect([has(ME), has(BOB)]).toEqual([10_000n, 10_000n]);
  });

  it('goes back when its time is over', async () => {
    const { escrow } = bought();
    now += 7 * DAY;
    render(EscrowPages, { base: BASE, rest: [escrow] });
    await waitFor(() => expect(screen.getByText('Time over, given back')).toBeTruthy());
    expect(screen.queryByRole('button', { name: /^Release/ })).toBeNull();
    expect(has(ME)).toBe(10_000n);
  });
});

describe('what one sells', () => {
  it('is asked for in part, and given back, without a PIN', async () => {
    const { escrow } = sold();
    render(EscrowPages, { base: BASE, rest: [escrow] });
    await screen.findByText(/goes back to/);
    expect(screen.queryByRole('button', { name: /^Release/ })).toBeNull();
    await press('Propose a split');
    await fill('To the seller', '7');
    expect(screen.getByText('7.00 EUR to Alice, 3.00 EUR back to Bob Okafor.')).toBeTruthy();
    await press('Confirm');
    await waitFor(() => expect(screen.getByText(/7\.00.*3\.00/)).toBeTruthy());
    expect(held.all[0]?.asked).toBe(700n);
    await press('Give all back');
    await press('Confirm');
    await waitFor(() => expect(screen.getByText('Given back')).toBeTruthy());
    expect(has(BOB)).toBe(10_000n);
  });

  it('is taken as the buyer offers it', async () => {
    const { escrow } = sold();
    held.settle(BOB, escrow, 300n);
    render(EscrowPages, { base: BASE, rest: [escrow] });
    await screen.findByText(/3\.00.*7\.00/);
    await press(/^Agree to 3\.00/);
    await press('Confirm');
    await waitFor(() => expect(screen.getByText('Split')).toBeTruthy());
    expect([has(ME), has(BOB)]).toEqual([10_300n, 9_700n]);
  });

  it('is given back in part, under the PIN, after it was released', async () => {
    bank.pin = PIN;
    const { escrow } = sold();
    held.settle(BOB, escrow, 1_000n);
    render(EscrowPages, { base: BASE, rest: [escrow] });
    await screen.findByText('Released');
    await press('Refund');
    expect(await screen.findByText('Up to 10.00 EUR of it can go back.')).toBeTruthy();
    await fill('How much goes back', '4');
    await press('Continue');
    await typePin();
    await waitFor(() => expect(screen.getByText(/^4\.00.*refunded/)).toBeTruthy());
    expect([has(ME), has(BOB)]).toEqual([10_600n, 9_400n]);
    expect(() => bank.move({ id: 'r', purpose: 'refund', asset: 'eur', from: ME, to: BOB, amount: 601n, refunds: `${escrow}-out` })).toThrow(expect.objectContaining({ code: 'payment_refused' }));
    expect(() => bank.move({ id: 'r', purpose: 'refund', asset: 'eur', from: ME, to: CAROL, amount: 1n, refunds: `${escrow}-out` })).toThrow(expect.objectContaining({ code: 'payment_refused' }));
  });

  it('is given back, and refunded, out of the list', async () => {
    const { escrow } = sold();
    render(EscrowPages, { base: BASE, rest: [] });
    await screen.findByRole('link', { name: /Bob/ });
    await press(/^Give all back · From Bob/);
    await press('Confirm');
    await waitFor(() => expect(screen.getByText('Given back')).toBeTruthy());
    expect([held.get(ME, escrow).end?.to_seller, screen.queryByRole('button', { name: /^Give all back/ })]).toEqual([0n, null]);
    const other = held.fund(BOB, { id: 't', user: ME, asset: 'eur', amount: 1_000n, note: 'bell', due_ms: now + 7 * DAY });
    held.settle(BOB, other.escrow, 1_000n);
    wallet.reload();
    await fireEvent.click(await screen.findByRole('button', { name: /^Refund · From Bob/ }));
    await press('Continue');
    await typePin();
    await waitFor(() => expect(has(BOB)).toBe(10_000n));
  });

  it('in a shop is seen by its cashier, who decides nothing', async () => {
    mall.staff(BOB, SHOP, ME, 'cashier');
    const { escrow } = held.fund(CAROL, { id: 'c', user: SHOP, asset: 'eur', amount: 500n, note: '', due_ms: now + DAY });
    const shop = { shop: SHOP, role: 'cashier', title: 'Corner shop' } as ShopView;
    render(EscrowPages, { shop, base: ['me', 'shops', 'corner', 'escrow'], rest: [] });
    const row = await screen.findByRole('link', { name: /Carol/ });
    expect(screen.queryByRole('button', { name: /Give all back|split/ })).toBeNull();
    expect(row.getAttribute('href')).toBe(`#/me/shops/corner/escrow/${escrow}`);
    cleanup();
    render(EscrowPages, { shop, base: ['me', 'shops', 'corner', 'escrow'], rest: [escrow] });
    await screen.findByText(/goes back to/);
    expect(screen.queryByRole('button', { name: /Give all back|split/ })).toBeNull();
  });
});
