import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail, FakeEngine, ME } from '../../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import type { ScannedShop } from '../../../wire/ScannedShop';
import type { TransferView } from '../../../wire/TransferView';
import { givenFor, gotFor } from '../exchange';
import Paid from './Paid.svelte';
import PayShop from './PayShop.svelte';

const SHOP = 'corner@away.example';
const USD = { id: 'usd', issuer: 'away.example', code: 'USD', scale: 2 };
let fake: FakeEngine;
let bank: FakeBank;
let state: string;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  wallet.clear();
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd1', role: 'member', phrase_confirmed: true };
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  bank.links = [{ node: 'away.example', assets: ['eur', 'usd'], rates: [{ give: 'eur', get: USD, numerator: '109', denominator: '100', rate: '1.09' }] }];
  fake = answerWallet(new FakeEngine(), bank);
  fake.listen((event) => wallet.heard(event));
  state = 'held';
  const person = (user: string): TransferView['payer'] => ({ user, name: user });
  const view = (): TransferView => ({ id: 't1', payer: person(ME), payee: person(SHOP), mine: true, asset: { ...EUR }, amount: '918', refunded: '0', request: null, shop: 'Corner shop', state, time_ms: 1, until_ms: null });
  fake.on('pay_shop', view).on('transfer', view);
  useEngine(fake);
  await wallet.load();
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const code = (part: Partial<ScannedShop> = {}): ScannedShop => ({ shop: SHOP, title: 'Corner shop', verified: true, open: true, asset: { ...EUR }, amount: '918', tip_allowed: false, bill: '', till: null, sale: 's1', state: 'open', until_ms: null, expired: false, ...part });
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const asked = (): unknown[] => fake.calls.filter(({ call }) => call === 'pay_shop');
const there = (text: string | RegExp): Promise<void> => waitFor(() => void expect(screen.getAllByText(text).length).toBeGreaterThan(0));
const unlock = (): Promise<boolean> => fireEvent.input(screen.getByLabelText('Payment PIN'), { target: { value: PIN } });

describe('a shop of another server', () => {
  it('is paid once its server says so, and not before', async () => {
    render(PayShop, { scanned: code(), onclose: vi.fn() });
    await there('This bill comes from the shop with this address, as away.example says, and was not changed on the way.');
    await press(/^Pay 9\.18/);
    await unlock();
    await there('Under way');
    expect(asked()).toMatchObject([{ shop: SHOP, asset: 'eur', amount: '918', sale: 's1', exchange: null }]);
    expect(screen.queryByText('Paid to Corner shop')).toBeNull();
    state = 'done';
    fake.emit({ event: 'wallet' });
    await there('Paid to Corner shop');
  });

  it('gives back what its server does not take', async () => {
    render(PayShop, { scanned: code(), onclose: vi.fn() });
    await press(/^Pay 9\.18/);
    await unlock();
    await there('Under way');
    state = 'returned';
    fake.emit({ event: 'wallet' });
    await there('It came back');
  });

  it.each([
    ['closed', 'The shop takes no money now.'],
    ['paid', 'This bill was paid already.'],
    ['over', 'This bill can no longer be paid. Ask for a new one.'],
    ['asked', 'It is not what the shop asks for.'],
    ['rate', 'The rate of exchange has changed meanwhile.'],
    ['expired', 'The shop’s server did not answer in time.'],
    ['of tomorrow', 'The shop did not take the payment.'],
    [undefined, 'The shop did not take the payment.'],
  ])('says why a payment came back: %s', (rejection, why) => {
    const paid: TransferView = { id: 't1', payer: { user: ME, name: 'Alice' }, payee: { user: SHOP, name: SHOP }, mine: true, asset: { ...EUR }, amount: '918', refunded: '0', request: null, shop: 'Corner shop', state: 'returned', time_ms: 1, until_ms: null, ...(rejection ? { rejection } : {}) };
    render(Paid, { paid, shop: SHOP, title: 'Corner shop', tip: 0n, onclose: vi.fn() });
    expect(screen.getByText((text) => text.startsWith(why)).textContent.replace(/\s/gu, ' ')).toBe(`${why} You have 9.18 EUR again.`);
  });

  it('gets its own money for what one has, at the rate, and never less than the bill', async () => {
    render(PayShop, { scanned: code({ asset: USD, amount: '1000' }), onclose: vi.fn() });
    await there('9.18 EUR → 10.00 USD at 1.09');
    await press(/^Pay 9\.18/);
    await unlock();
    await waitFor(() => expect(asked()).toMatchObject([{ asset: 'eur', amount: '918', exchange: ['usd', '1000'] }]));
  });

  it('cannot be paid with what does not go there', async () => {
    bank.links = [];
    await wallet.load();
    render(PayShop, { scanned: code(), onclose: vi.fn() });
    await there('You have no money here yet');
    expect(screen.queryByRole('button', { name: /^Pay 9/, hidden: true })).toBeNull();
  });

  it('can be paid as soon as there is a way', async () => {
    const { links } = bank;
    bank.links = [];
    await wallet.load();
    render(PayShop, { scanned: code(), onclose: vi.fn() });
    await there('You have no money here yet');
    bank.links = links;
    fake.emit({ event: 'wallet' });
    await there(/^Pay 9\.18/);
    expect(screen.queryByText('You have no money here yet')).toBeNull();
  });
});

describe('a shop whose server is away', () => {
  const earlier = (part: Partial<Parameters<FakeBank['move']>[0]> = {}): ReturnType<FakeBank['move']> => bank.move({ id: `e${bank.entries.length}`, purpose: 'payment', asset: 'eur', from: ME, to: SHOP, amount: 500n, state: 'held', ...part });
  const scan = async (): Promise<void> => {
    await wallet.load();
    render(PayShop, { scanned: code({ sale: null, amount: null }), onclose: vi.fn() });
    await fireEvent.input(await screen.findByLabelText('Amount'), { target: { value: '5' } });
  };
  const pays = (): HTMLButtonElement => screen.getByRole<HTMLButtonElement>('button', { name: /^Pay( 5| in)/, hidden: true });
  const notTwice = /You paid this shop 5\.00.EUR/;

  it('is paid a second time by those only who choose to', async () => {
    earlier();
    await scan();
    await there(notTwice);
    expect(pays().disabled).toBe(true);
    await fireEvent.submit(document.querySelector('form') ?? document.body);
    expect(screen.queryByLabelText('Payment PIN')).toBeNull();
    await press('Pay again');
    await waitFor(() => expect(pays().disabled).toBe(false));
    expect(screen.queryByRole('button', { name: 'Pay again', hidden: true })).toBeNull();
    await press(/^Pay 5/);
    await unlock();
    await waitFor(() => expect(asked()).toHaveLength(1));
  });

  it('has to be chosen also when it has the first payment while one looks', async () => {
    const first = earlier();
    await scan();
    await there(notTwice);
    first.state = 'done';
    fake.emit({ event: 'wallet' });
    await there(/The shop has the 5\.00.EUR that you paid/);
    expect(pays().disabled).toBe(true);
    await press('Pay again');
    await waitFor(() => expect(pays().disabled).toBe(false));
  });

  it('can be paid once the first payment came back', async () => {
    const first = earlier();
    await scan();
    await there(notTwice);
    first.state = 'returned';
    fake.emit({ event: 'wallet' });
    await waitFor(() => expect(pays().disabled).toBe(false));
    expect(screen.queryByText(notTwice)).toBeNull();
  });

  it('is paid at once where nothing of that is under way', async () => {
    const now = Date.now();
    earlier({ to: 'other@away.example' });
    earlier({ time_ms: now - 25 * 3_600_000 });
    earlier({ state: 'done' });
    await scan();
    await waitFor(() => expect(pays().disabled).toBe(false));
    expect(screen.queryByText(notTwice)).toBeNull();
  });

  it('is not paid before the history is known', async () => {
    earlier();
    fake.on('wallet_history', () => {
      throw fail('offline');
    });
    await scan();
    await there('Try again');
    expect(pays().disabled).toBe(true);
  });

  it('at the same server is what the others are: nothing is asked', async () => {
    earlier({ to: 'corner@home.example' });
    await wallet.load();
    render(PayShop, { scanned: code({ shop: 'corner@home.example', asset: null }), onclose: vi.fn() });
    await there(/^Pay 9\.18/);
    expect(fake.calls.filter(({ call }) => call === 'wallet_history')).toEqual([]);
  });
});

describe('what is given for a sum', () => {
  const rate = { give: 'eur', get: USD, numerator: '109', denominator: '100', rate: '1.09' };
  it('is the least that is enough', () => {
    for (let got = 1n; got < 500n; got += 1n) {
      const given = givenFor(got, rate);
      expect(given).not.toBeNull();
      expect(gotFor(given ?? 0n, rate) ?? 0n).toBeGreaterThanOrEqual(got);
      if ((given ?? 0n) > 1n) expect(gotFor((given ?? 0n) - 1n, rate) ?? 0n).toBeLessThan(got);
    }
  });
});
