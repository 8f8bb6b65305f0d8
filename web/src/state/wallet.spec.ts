import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../engine/fake';
import { answerWallet, EUR, FakeBank, PASSWORD, PIN } from '../engine/fake-wallet';
import { useEngine } from './engine';
import { freshId, OrderId, wallet } from './wallet.svelte';

const BOB = 'bob@home.example';
let bank: FakeBank;
let fake: FakeEngine;
beforeEach(async () => {
  wallet.clear();
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  fake = answerWallet(new FakeEngine(), bank);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  bank.move({ id: 'i1', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  bank.pin = PIN;
  await wallet.load();
});
const asked = (name: string): number => fake.calls.filter(({ call }) => call === name).length;
const send = (id: string, amount: string, part: object = {}) => wallet.pay({ id, user: BOB, asset: 'eur', amount, note: '', hold: true, chat: null, request: null, refunds: null, pin: PIN, ...part });

describe('the wallet', () => {
  it('is ready where the node issues something', async () => {
    expect(wallet.ready).toBe(true);
    expect(wallet.account('eur')?.balance).toBe('10000');
    wallet.clear();
    expect(wallet.ready).toBe(false);
    fake.on('wallet', () => ({ accounts: [], assets: [], pin: false, pending: [], links: [] }));
    await wallet.load();
    expect(wallet.ready).toBe(false);
  });

  it('asks anew once for several changes that come together', async () => {
    const before = asked('wallet');
    for (let change = 0; change < 5; change += 1) fake.emit({ event: 'wallet' });
    expect(asked('wallet')).toBe(before);
    await vi.waitFor(() => expect(asked('wallet')).toBe(before + 1));
  });

  it('asks anew every few seconds however often it should, and not for somebody who has left', async () => {
    vi.useFakeTimers();
    try {
      const before = asked('wallet');
      const refreshed = async (ms: number): Promise<number> => {
        for (let time = 0; time < 9; time += 1) wallet.refresh();
        await vi.advanceTimersByTimeAsync(ms);
        return asked('wallet') - before;
      };
      expect(await refreshed(0)).toBe(1);
      expect(await refreshed(2_900)).toBe(1);
      expect(await refreshed(200)).toBe(2);
      wallet.refresh();
      wallet.clear();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(asked('wallet') - before).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('shows what waits as held back, until it is accepted', async () => {
    const paid = await send(freshId(), '1234');
    expect(paid.state).toBe('held');
    await vi.waitFor(() => expect(wallet.account('eur')).toMatchObject({ balance: '10000', available: '8766', outgoing: '1234' }));
    bank.answer(BOB, paid.id, true);
    fake.emit({ event: 'wallet' });
    await vi.waitFor(() => expect(wallet.account('eur')).toMatchObject({ balance: '8766', available: '8766', outgoing: '0' }));
  });

  it('looks at a transfer once between two changes, for all that show it', async () => {
    const paid = await send(freshId(), '500');
    for (let card = 0; card < 3; card += 1) wallet.transfer(paid.id);
    await vi.waitFor(() => expect(asked('transfer')).toBe(1));
    const round = wallet.round;
    await vi.waitFor(() => expect(wallet.round).toBe(round + 1));
    bank.answer(BOB, paid.id, false);
    fake.emit({ event: 'wallet' });
    await vi.waitFor(() => expect(wallet.transfer(paid.id).value?.state).toBe('returned'));
  });

  it('says what the node does not know, and keeps what it said when it cannot be asked', async () => {
    wallet.transfer('nobody');
    await vi.waitFor(() => expect(wallet.transfer('nobody')).toEqual({ value: null, error: 'not_found' }));
    const paid = await send(freshId(), '500');
    fake.on('transfer', () => {
      throw fail('offline');
    });
    wallet.reload();
    wallet.transfer(paid.id);
    await vi.waitFor(() => expect(wallet.transfer(paid.id).error).toBe('offline'));
    expect(wallet.transfer(paid.id).value?.amount).toBe('500');
  });

  it('pays nothing below zero, with a wrong PIN, or from a stopped account', async () => {
    await expect(send(freshId(), '10001')).rejects.toMatchObject({ code: 'insufficient_funds' });
    await expect(send(freshId(), '1', { pin: '000001' })).rejects.toMatchObject({ code: 'wrong_pin' });
    await wallet.freeze(ME, 'eur', true);
    await expect(send(freshId(), '1')).rejects.toMatchObject({ code: 'account_frozen' });
    expect(bank.balance(ME, 'eur')).toBe(10_000n);
  });

  it('takes no PIN without the password', async () => {
    bank.pin = null;
    await wallet.load();
    await expect(wallet.setPin(PIN, 'guessed')).rejects.toMatchObject({ field: 'password' });
    expect(wallet.pin).toBe(false);
    await wallet.setPin(PIN, PASSWORD);
    expect(wallet.pin).toBe(true);
  });
});

describe('the id of a payment', () => {
  it('has 32 hexadecimal digits, and is never the same', () => {
    const ids = Array.from({ length: 100 }, freshId);
    expect(ids.every((id) => /^[0-9a-f]{32}$/.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(100);
  });

  it('stays as long as it is not known what came of it, so that a second try pays once', async () => {
    const order = new OrderId();
    bank.silent = true;
    await expect(order.run((id) => send(id, '1000'))).rejects.toMatchObject({ code: 'payment_unsure' });
    bank.silent = false;
    await order.run((id) => send(id, '1000'));
    expect(bank.held(ME, 'eur', 'from')).toBe(1_000n);
  });

  it.each(['offline', 'timeout', 'engine_restarted', 'wrong_pin'])('is the same after %s', async (code) => {
    const order = new OrderId();
    const ids: string[] = [];
    const go = (): Promise<void> =>
      order.run((id) => {
        ids.push(id);
        return Promise.reject(fail(code));
      });
    await go().catch(() => undefined);
    await go().catch(() => undefined);
    expect(ids[0]).toBe(ids[1]);
  });

  it('is another one after a no', async () => {
    const order = new OrderId();
    const ids: string[] = [];
    for (let again = 0; again < 2; again += 1) await order.run((id) => (ids.push(id), Promise.reject(fail('insufficient_funds')))).catch(() => undefined);
    expect(ids[0]).not.toBe(ids[1]);
  });
});
