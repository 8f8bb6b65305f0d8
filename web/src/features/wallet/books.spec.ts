import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import type { BooksDayView } from '../../wire/BooksDayView';
import { dayName, hasOwn } from './books';
import BooksPage from './BooksPage.svelte';
import LineSheet from './LineSheet.svelte';

/** 2027-01-15. */
const DAY = 20_833;
const day = (part: Partial<BooksDayView> = {}): BooksDayView => ({
  day: DAY,
  flaw: null,
  events: 12,
  witnesses: [],
  sums: [{ asset: 'eur', issued: '10000', abroad: '0', own: '0', held: '10000' }],
  ...part,
});
let bank: FakeBank;
let fake: FakeEngine;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  bank = new FakeBank();
  bank.define(EUR, { title: 'Euro' }).move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  fake = answerWallet(new FakeEngine(), bank);
  fake.on('books_own', ({ day: of }) => ({ day: of, accounts: [{ asset: EUR, flaw: null, balance: '10000', entries: 3 }] }));
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
  wallet.clear();
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const see = (text: string | RegExp): Promise<void> => waitFor(() => expect(screen.getAllByText(text).length, String(text)).toBeGreaterThan(0));

describe('the signed books', () => {
  it('show what was given out and held, who has seen it, and that one’s own is in it', async () => {
    fake.on('books', () => ({ days: [day({ witnesses: ['away.example'] })], more: false }));
    render(BooksPage);
    await see('15 Jan 2027');
    await see('The server shows signatures of: away.example');
    await see(/Your 3 entries of this day are in it\. Your 100\.00\sEUR are counted\./);
    expect(screen.getAllByText(/^100\.00\sEUR$/)).toHaveLength(2);
    expect(screen.queryByRole('alert')).toBeNull();
    expect(screen.getByText(/All days shown here are in order/)).toBeTruthy();
  });

  it('say so when no day is signed yet', async () => {
    fake.on('books', () => ({ days: [], more: false }));
    render(BooksPage);
    await see('No day is signed yet');
  });

  it('say loudly what is wrong with a day, and with one’s own part of it', async () => {
    fake.on('books', () => ({ days: [day(), day({ day: DAY - 1, flaw: 'uneven' })], more: false }));
    fake.on('books_own', ({ day: of }) => ({ day: of, accounts: [{ asset: EUR, flaw: 'entry', balance: '0', entries: 0 }] }));
    render(BooksPage);
    await see('What was given out is not what is held.');
    await see(/An entry of yours is not in it/);
    await see(/Something is wrong with what this server has signed/);
    expect(screen.queryByText(/All days shown here are in order/)).toBeNull();
  });

  it('go back page by page, and check older days when asked', async () => {
    const asked: (number | null)[] = [];
    fake.on('books', ({ before }) => {
      asked.push(before);
      const first = (before ?? DAY + 1) - 1;
      return { days: [first, first - 1, first - 2].map((one) => day({ day: one })), more: before === null };
    });
    render(BooksPage);
    await see('Earlier days');
    await waitFor(() => expect(screen.getAllByText(/Your 3 entries/)).toHaveLength(2));
    await fireEvent.click(screen.getByRole('button', { name: 'Check my part' }));
    await waitFor(() => expect(screen.getAllByText(/Your 3 entries/)).toHaveLength(3));
    await fireEvent.click(screen.getByRole('button', { name: 'Earlier days' }));
    await see('10 Jan 2027');
    expect(asked).toEqual([null, DAY - 2]);
  });

  it('can be asked for again', async () => {
    fake.on('books', () => {
      throw fail('offline');
    });
    render(BooksPage);
    await waitFor(() => expect(screen.getByRole('alert')).toBeTruthy());
    fake.on('books', () => ({ days: [day()], more: false }));
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
    await see('15 Jan 2027');
  });

  it('name days by UTC, and know how far back one’s own part can be shown', () => {
    expect(dayName(0, 'en')).toBe('Jan 1, 1970');
    expect([hasOwn(DAY - 32, DAY), hasOwn(DAY - 33, DAY)]).toEqual([true, false]);
  });
});

describe('a line of the history', () => {
  const open = async (): Promise<void> => {
    await wallet.load();
    const [line] = (await wallet.history('account-eur', null)).lines;
    const [account] = wallet.accounts;
    if (line && account) render(LineSheet, { line, account, onclose: () => undefined });
  };

  it.each([
    [{ day: DAY, flaw: null }, 'In those of 15 Jan 2027'],
    [{ day: null, flaw: null }, 'Its day is not signed yet'],
    [{ day: null, flaw: 'entry' }, 'An entry of yours is not in it.'],
  ])('says whether it is in the signed books: %o', async (found, text) => {
    fake.on('books_line', () => found);
    await open();
    await see(text);
    const asked = fake.calls.filter(({ call }) => call === 'books_line');
    expect(asked.at(-1)).toMatchObject({ asset: 'eur', amount: expect.stringMatching(/^-?[1-9]/) });
  });
});
