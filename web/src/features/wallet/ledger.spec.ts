import { beforeEach, describe, expect, it } from 'vitest';
import { FakeEngine, fail, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { Ledger } from './ledger.svelte';

const BOB = 'bob@home.example';
const DAY = 86_400_000;
let bank: FakeBank;
let fake: FakeEngine;
let ledger: Ledger;
let at = 0;
const pay = (id: string, part: object = {}) => bank.move({ id, purpose: 'transfer', asset: 'eur', from: BOB, to: ME, amount: 10n, ...part });
const shown = (): string[] => ledger.lines.map((line) => line.transfer);

beforeEach(() => {
  at = 0;
  bank = new FakeBank(() => at).define(EUR);
  useEngine((fake = answerWallet(new FakeEngine(), bank, { page: 3 })));
  bank.move({ id: 'issue', purpose: 'issue', asset: 'eur', from: 'node', to: BOB, amount: 10_000n });
  for (let one = 0; one < 10; one += 1) {
    at += DAY;
    pay(`t${one}`, { state: one === 2 ? 'held' : 'done' });
  }
  ledger = new Ledger('account-eur');
});

describe('a history', () => {
  it('is read page by page, each line once, to its end', async () => {
    for (let page = 0; page < 9; page += 1) void ledger.next();
    await ledger.next();
    expect(shown()).toEqual(['t9', 't8', 't7', 't6', 't5', 't4', 't3', 't2', 't1', 't0']);
    expect(ledger.more).toBe(false);
  });

  it('is read back to a time', async () => {
    await ledger.reach(6 * DAY);
    expect(shown()).toEqual(['t9', 't8', 't7', 't6', 't5', 't4']);
    expect(ledger.reaches(6 * DAY)).toBe(true);
    expect(ledger.reaches(2 * DAY)).toBe(false);
  });

  it('takes what is new, and has what changed in older lines', async () => {
    await ledger.reach(0);
    bank.answer(ME, 't2', true);
    pay('new');
    bank.move({ id: 'back', purpose: 'refund', asset: 'eur', from: ME, to: BOB, amount: 4n, refunds: 't5' });
    await ledger.refresh();
    expect(shown()).toEqual(['back', 'new', 't2', 't9', 't8', 't7', 't6', 't5', 't4', 't3', 't1', 't0']);
    expect(ledger.lines.find((line) => line.transfer === 't2')?.state).toBe('done');
    expect(ledger.lines.find((line) => line.transfer === 't5')?.refunded).toBe('4');
    expect(ledger.more).toBe(false);
  });

  it('shows once what waited and went over, when nothing is older', async () => {
    bank = new FakeBank(() => at).define(EUR);
    useEngine(answerWallet(new FakeEngine(), bank, { page: 3 }));
    bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: BOB, amount: 10_000n });
    pay('first', { state: 'held' });
    await ledger.next();
    bank.answer(ME, 'first', true);
    await ledger.refresh();
    expect(shown()).toEqual(['first']);
    expect(ledger.lines.map((line) => line.state)).toEqual(['done']);
  });

  it('has no gap when more is new than a page has', async () => {
    await ledger.next();
    for (let one = 0; one < 8; one += 1) pay(`n${one}`);
    await ledger.refresh();
    for (let page = 0; page < 5; page += 1) await ledger.next();
    expect(shown()).toEqual([...Array.from({ length: 8 }, (_, one) => `n${7 - one}`), 't9', 't8', 't7', 't6', 't5', 't4', 't3', 't2', 't1', 't0']);
  });

  it('that was empty, begins', async () => {
    bank = new FakeBank(() => at).define(EUR);
    useEngine(answerWallet(new FakeEngine(), bank, { page: 3 }));
    await ledger.next();
    expect([shown(), ledger.more]).toEqual([[], false]);
    bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: BOB, amount: 10_000n });
    for (let one = 0; one < 5; one += 1) pay(`n${one}`);
    await ledger.refresh();
    await ledger.next();
    expect(shown()).toEqual(['n4', 'n3', 'n2', 'n1', 'n0']);
  });

  it('keeps what it has when the next page cannot be had, and goes on there', async () => {
    await ledger.next();
    useEngine(new FakeEngine().on('wallet_history', () => {
      throw fail('offline');
    }));
    await ledger.next();
    expect(ledger.error).not.toBe('');
    expect(shown()).toEqual(['t9', 't8', 't7']);
    useEngine(fake);
    await ledger.next();
    expect([ledger.error, shown().length]).toEqual(['', 6]);
  });
});
