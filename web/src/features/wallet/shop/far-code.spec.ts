import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, ME } from '../../../engine/fake';
import { FakeMall } from '../../../engine/fake-shops';
import { answerShops } from '../../../engine/fake-tills';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import type { TransferView } from '../../../wire/TransferView';
import { isCharged, feeFor } from '../fees';
import ShopPages from './ShopPages.svelte';
import ShowCode from './ShowCode.svelte';
import { waiting } from './waiting';

const CODE = 'weft:pay/1/away.example/AAECAwQFBgcICQoLDA0OD_iA';
let bank: FakeBank;
let mall: FakeMall;
let fake: FakeEngine;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  // happy-dom draws nothing.
  const paper = { createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }), putImageData: vi.fn() };
  HTMLCanvasElement.prototype.getContext = vi.fn(() => paper) as never;
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  mall = new FakeMall(bank);
  fake = answerShops(answerWallet(new FakeEngine(), bank), mall);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  wallet.clear();
  await wallet.load();
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const there = (text: string | RegExp): Promise<void> => waitFor(() => void expect(screen.getAllByText(text).length).toBeGreaterThan(0));

/** The customer's code was scanned; the amount is typed. */
async function take(): Promise<void> {
  mall.found(ME, 'corner', { title: 'Corner shop', merchant_name: 'Corner shop', city: 'Berlin', country: 'DE', mcc: 5411 });
  waiting.code = CODE;
  render(ShopPages, { name: 'corner', page: undefined });
  await fireEvent.input(await screen.findByLabelText('Amount'), { target: { value: '12.50' } });
  await press(/^Scan the customer.s code$/);
}

describe('a till that has read a code of another server', () => {
  it('waits for that server, and says when it has paid', async () => {
    await take();
    await there('Asking the customer’s server');
    await there(/^Decided within/);
    expect(screen.queryByRole('img', { name: 'Code for the customer', hidden: true })).toBeNull();
    mall.far = 'pays';
    mall.answered(mall.sales[0] as never);
    fake.emit({ event: 'wallet' });
    await there(/^Paid by/);
  });

  it('asks again, and says why that server has refused', async () => {
    await take();
    await there('Asking the customer’s server');
    mall.far = 'insufficient_funds';
    await press('Ask again');
    await there('The customer does not have this much.');
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Ask again', hidden: true })).toBeNull());
    await there('The customer does not have this much.');
    expect(fake.calls.filter(({ call }) => call === 'charge')).toHaveLength(1);
  });

  describe('and is left alone', () => {
    const asked = (name: string): number => fake.calls.filter(({ call }) => call === name).length;
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
    afterEach(() => void vi.useRealTimers());
    /** Nothing was heard: the till has to look. */
    const passes = async (ms: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(ms));

    it('looks by itself, and says that it is paid', async () => {
      await take();
      await there('Asking the customer’s server');
      mall.far = 'pays';
      mall.answered(mall.sales[0] as never);
      await passes(3_000);
      await there(/^Paid by/);
      // Then there is nothing more to look for.
      const looks = asked('sale');
      await passes(30_000);
      expect([asked('sale'), asked('charge_again')]).toEqual([looks, 0]);
    });

    it('asks that server again, and says why it has refused', async () => {
      await take();
      await there('Asking the customer’s server');
      mall.far = 'insufficient_funds';
      await passes(6_000);
      expect(asked('charge_again')).toBe(0);
      await passes(3_000);
      expect(asked('charge_again')).toBe(1);
      await there('The customer does not have this much.');
      expect(screen.queryByRole('button', { name: 'Ask again', hidden: true })).toBeNull();
      expect(asked('charge')).toBe(1);
    });

    it('asks no more once its time is over, and looks until the server says so', async () => {
      await take();
      await there('Asking the customer’s server');
      const now = bank.now();
      bank.now = () => now + 120_000;
      await passes(3_000);
      await there(/did not pay in time\. Nothing was taken/);
      await passes(30_000);
      expect(asked('charge_again')).toBe(0);
    });

    it('does not while nobody looks, nor while one question is not answered', async () => {
      await take();
      await there('Asking the customer’s server');
      // What was heard of money just now it may look at once; by its timer it would look ten times.
      const HEARD = 1;
      const since = (looks: number): number => asked('sale') - looks;
      let looks = asked('sale');
      vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
      await passes(30_000);
      expect(since(looks)).toBeLessThanOrEqual(HEARD);
      expect(asked('charge_again')).toBe(0);
      vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('visible');
      fake.on('sale', () => new Promise<never>(() => undefined) as never);
      looks = asked('sale');
      await passes(30_000);
      expect(since(looks)).toBeGreaterThan(0);
      expect(since(looks)).toBeLessThanOrEqual(1 + HEARD);
      expect(asked('charge_again')).toBe(0);
    });

    it('stays with what it knows where an answer is overtaken', async () => {
      await take();
      await there('Asking the customer’s server');
      const open = mall.saleView(mall.sales[0] as never);
      let answer: (sale: typeof open) => void = () => undefined;
      fake.on('sale', () => new Promise<typeof open>((done) => (answer = done)) as never);
      await passes(3_000);
      await press('Cancel the sale');
      await there('Taken back');
      answer(open);
      await passes(3_000);
      expect(screen.queryByText('Asking the customer’s server')).toBeNull();
      await there('Taken back');
    });
  });

  it.each([
    ['no_link', /have agreed on no payments in this money/],
    ['link_limit', /lend each other no more/],
    ['rate_changed', /there is no rate for it/],
    ['other_node', /cannot pay by codes in shops of other servers yet/],
    ['payment_refused', 'The customer’s server has refused the payment.'],
    ['already_paid', /This code was used before/],
    ['code_limit', 'This is more than the customer\'s code allows.'],
  ])('is told at once: %s', async (code, words) => {
    mall.far = code;
    await take();
    await there(words);
    await press('Scan again');
  });

  it('takes it back, and knows that nothing was taken', async () => {
    await take();
    await there('Asking the customer’s server');
    await press('Cancel the sale');
    await there('Taken back');
  });

  it('knows when it is over that nothing was taken', async () => {
    await take();
    await there('Asking the customer’s server');
    const now = bank.now();
    bank.now = () => now + 120_000;
    fake.emit({ event: 'wallet' });
    await there(/did not pay in time\. Nothing was taken/);
  });
});

describe('whoever shows a code', () => {
  const person = (user: string): TransferView['payer'] => ({ user, name: user });

  it('sees that a shop of another server has taken by it, when it is there, or that it came back', async () => {
    let state = 'held';
    const view = (): TransferView => ({ id: 't1', payer: person(ME), payee: person('corner@away.example'), mine: true, asset: { ...EUR }, amount: '918', refunded: '0', request: null, shop: 'Corner shop', state, time_ms: 1, until_ms: null, ...(state === 'returned' ? { rejection: 'over' } : {}) });
    fake.on('code_state', () => ({ state: 'used', transfer: view() })).on('transfer', view);
    render(ShowCode, { onclose: vi.fn() });
    await fireEvent.input(await screen.findByLabelText('The shop may take up to'), { target: { value: '20' } });
    await press('Continue');
    await fireEvent.input(screen.getByLabelText('Payment PIN'), { target: { value: PIN } });
    await there('Under way');
    state = 'returned';
    fake.emit({ event: 'wallet' });
    await there('It came back');
  });

  it('is shown what it may cost there, if that is more than here', () => {
    const fees = (...all: [string, string][]) => {
      const one = wallet.assets.find(({ asset }) => asset.id === 'eur');
      if (one) one.fees = all.map(([kind, fixed]) => [kind, fixed, '0', '0', '0']);
    };
    const code = { kind: 'code', asset: 'eur' } as const;
    expect(isCharged(code)).toBe(false);
    fees(['remote', '30']);
    expect([isCharged(code), feeFor(code, 1_000n)]).toEqual([true, 30n]);
    fees(['shop', '50'], ['remote', '30']);
    expect(feeFor(code, 1_000n)).toBe(50n);
    expect(feeFor({ kind: 'shop', asset: 'eur' }, 1_000n)).toBe(50n);
    expect(feeFor(code, null)).toBe(0n);
  });
});
