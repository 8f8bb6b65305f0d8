import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, ME } from '../../../engine/fake';
import { answerMandates, FakeMandates } from '../../../engine/fake-mandates';
import { FakeMall } from '../../../engine/fake-shops';
import { answerShops } from '../../../engine/fake-tills';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import { dayText } from '../statement';
import MandatePages from './MandatePages.svelte';
import { dayName, dayOf, zone } from './words';

const BOB = 'bob@home.example';
const DAY = 86_400_000;
const BASE = ['me', 'wallet', 'mandates'];
let now: number;
let bank: FakeBank;
let given: FakeMandates;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  location.hash = '';
  wallet.clear();
  now = Date.now();
  bank = new FakeBank(() => now).define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  const mall = new FakeMall(bank);
  given = new FakeMandates(mall);
  const fake = answerMandates(answerShops(answerWallet(new FakeEngine(), bank), mall), given);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  for (const user of [ME, BOB]) bank.move({ id: `i${user}`, purpose: 'issue', asset: 'eur', from: 'node', to: user, amount: 10_000n });
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const today = () => Math.floor(now / DAY);
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const fill = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const give = (debtor: string, creditor: string, part: { id?: string; amount?: bigint; standing?: boolean } = {}) => given.give(debtor, { id: 'r', creditor, asset: 'eur', amount: 1_000n, note: 'rent', standing: true, period: 'month', first_day: today(), last_day: null, ...part });
const page = (id: string) => render(MandatePages, { base: BASE, rest: [id] });

describe('a regular payment', () => {
  it('is given under the PIN, which says all of it: how much, from when to when, and what for', async () => {
    render(MandatePages, { base: BASE, rest: ['new'] });
    await screen.findByLabelText('Member');
    await fill('Member', 'bob');
    await fill('Amount each time', '12.50');
    await fill('What for', 'rent');
    await fill('Last day', dayText(now + 90 * DAY));
    await press('Continue');
    const pin = await screen.findByLabelText('Payment PIN');
    const [first, last] = [now, now + 90 * DAY].map((ms) => new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' }).format(ms));
    expect(screen.getByText(`12.50 EUR every month · From ${first} to ${last} · rent`)).toBeTruthy();
    await fireEvent.input(pin, { target: { value: PIN } });
    await waitFor(() => expect(given.all).toHaveLength(1));
    expect(given.all[0]).toMatchObject({ creditor: BOB, amount: 1_250n, note: 'rent', standing: true, period: 'month', first_day: dayOf(dayText(now)), last_day: dayOf(dayText(now + 90 * DAY)) });
    await waitFor(() => expect(location.hash).toBe(`#/me/wallet/mandates/${given.all[0]?.mandate}`));
  });

  it('does not begin in the past, and does not end before it begins', async () => {
    render(MandatePages, { base: BASE, rest: ['new'] });
    await screen.findByLabelText('Member');
    await fill('First day', dayText(now - 3 * DAY));
    expect(screen.getByText('Today or later, within a year')).toBeTruthy();
    await fill('First day', dayText(now + 3 * DAY));
    await fill('Last day', dayText(now + DAY));
    expect(screen.getByText('Not before the first day')).toBeTruthy();
    await press('Continue');
    expect(screen.queryByLabelText('Payment PIN')).toBeNull();
  });

  it('is ended by whoever pays, and says so at once', async () => {
    const { mandate } = give(ME, BOB);
    page(mandate);
    expect(await screen.findByText('Paid')).toBeTruthy();
    await press('End it');
    await fireEvent.click(screen.getAllByRole('button', { name: 'End it', hidden: true }).at(-1)!);
    await screen.findByText('Ended');
    expect(given.all[0]?.end?.state).toBe('ended');
    expect(screen.queryByRole('button', { name: 'End it' })).toBeNull();
  });

  it('that has failed says why, and is tried again', async () => {
    const { mandate } = give(ME, BOB, { amount: 20_000n });
    page(mandate);
    await screen.findByText(/but not paid: There is not enough money/);
    await press('Try again now');
    expect((await screen.findAllByText(/not enough money/)).length).toBeGreaterThan(1);
    bank.move({ id: 'more', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 20_000n });
    await press('Try again now');
    await screen.findByText('Paid');
    expect(bank.balance(BOB, 'eur')).toBe(30_000n);
  });

  it('on request is collected by the payee, once and at most its amount', async () => {
    const { mandate } = give(BOB, ME, { standing: false });
    page(mandate);
    await fireEvent.click(await screen.findByRole('button', { name: 'Collect' }));
    await fill('Amount', '7');
    await fireEvent.click(screen.getAllByRole('button', { name: 'Collect', hidden: true }).at(-1)!);
    await screen.findByText('Paid');
    expect(bank.balance(ME, 'eur')).toBe(10_700n);
    expect(screen.queryByRole('button', { name: 'Collect' })).toBeNull();
    await screen.findByRole('button', { name: 'Give it up' });
  });

  it('is ended, or collected, out of the list', async () => {
    give(ME, BOB);
    give(BOB, ME, { id: 'other', standing: false });
    render(MandatePages, { base: BASE, rest: [] });
    await fireEvent.click(await screen.findByRole('button', { name: /^End it · To Bob/ }));
    await press('End it');
    await screen.findByText('Ended');
    expect(given.all[0]?.end?.state).toBe('ended');
    await press(/^Collect · From Bob/);
    await fill('Amount', '7');
    await press('Collect');
    await waitFor(() => expect(screen.queryByRole('button', { name: /^Collect/ })).toBeNull());
    expect(bank.balance(ME, 'eur')).toBe(9_700n);
    await screen.findByRole('button', { name: /^Give it up · From Bob/ });
  });

  it('stands in the list with its next day', async () => {
    give(ME, BOB);
    render(MandatePages, { base: BASE, rest: [] });
    const next = given.view(ME, given.all[0]!).next_day ?? 0;
    expect((await screen.findByRole('link', { name: /To Bob|To bob/ })).textContent).toContain(dayName(next, 'en-GB', 'medium'));
  });
});

describe('days', () => {
  it('are the same wherever one is', () => {
    expect(dayOf('1970-01-02')).toBe(1);
    expect(dayOf('')).toBeNull();
    expect(dayName(20_778, 'en')).toBe('November 21, 2026');
  });

  it('begin no earlier than they do here', () => {
    for (const month of [0, 6]) expect(zone(now) + new Date(new Date(now).getFullYear(), month, 15).getTimezoneOffset()).toBeLessThanOrEqual(0);
  });
});
