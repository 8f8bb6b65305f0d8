import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { contact, FakeEngine, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { contacts } from '../../state/contacts.svelte';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import AccountCard from './AccountCard.svelte';
import { briefName, farIssuer, longName, type Named } from './asset';
import { askable, mostAsked, payable } from './chat/choices';
import RequestSheet from './chat/RequestSheet.svelte';
import TransferSheet from './chat/TransferSheet.svelte';
import { mostOf } from './limits';
import PinSheet from './PinSheet.svelte';

const BOB = 'bob@home.example';
const MEI = 'mei@garden.example';
const FAR = { ...EUR, id: 'far', issuer: 'garden.example' };
let bank: FakeBank;
const owns = (id: string, asset: string, amount: bigint): unknown => bank.move({ id, purpose: 'issue', asset, from: 'node', to: ME, amount });

beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  bank = new FakeBank().define(FAR, { title: 'Gartengeld' }).define(EUR, { title: 'Euro', payment_max: '50000', day_max: '150000' });
  bank.pin = PIN;
  bank.links = [{ node: 'garden.example', assets: [EUR.id, FAR.id], rates: [] }];
  owns('f', 'far', 737n);
  useEngine(answerWallet(new FakeEngine(), bank).on('contacts', () => [contact(BOB, 'Bob'), contact(MEI, 'Mei')]));
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
  wallet.clear();
  await Promise.all([wallet.load(), contacts.load()]);
});
afterEach(() => {
  cleanup();
  contacts.clear();
  session.me = null;
});

const offered = (): string[] => screen.getAllByRole('option', { hidden: true }).map((one) => one.textContent?.trim() ?? '');
const amount = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>('Amount');
const type = (value: string): Promise<boolean> => fireEvent.input(amount(), { target: { value } });
const note = (): string => (document.getElementById(amount().getAttribute('aria-describedby') ?? '')?.textContent ?? '').replace(/\s/gu, ' ');
const pay = (): void => void render(TransferSheet, { user: BOB, name: 'Bob', chat: null, onclose: () => undefined });
const go = (): Promise<boolean> => fireEvent.submit(amount().closest('form') as HTMLFormElement);

describe('a currency', () => {
  const named = (id: string, code: string, title: string, issuer = `${id}.example`): Named => ({ asset: { id, issuer, code, scale: 2 }, title });

  it('is called by its code as long as no other is', () => {
    const [one, other] = [named('a', 'EUR', 'Euro'), named('b', 'USD', 'Dollar')];
    expect([one, other].map((it) => briefName(it, [one, other]))).toEqual(['EUR', 'USD']);
    expect(longName(one, [one, other])).toBe('Euro (EUR)');
  });

  it.each([
    ['Euro', 'Gartengeld', ['Euro (EUR)', 'Gartengeld (EUR)']],
    ['Euro', 'Euro', ['EUR · a.example', 'EUR · b.example']],
    // What looks the same is the same.
    ['Euro', ' euró', ['EUR · a.example', 'EUR · b.example']],
    // The code says nothing more.
    ['Euro', 'EUR', ['Euro (EUR)', 'EUR · b.example']],
    ['', 'Gartengeld', ['EUR · a.example', 'Gartengeld (EUR)']],
  ])('is told from another of its code by title or server: %j and %j', (first, second, names) => {
    const both = [named('a', 'EUR', first), named('b', 'EUR', second)];
    expect(both.map((one) => briefName(one, both))).toEqual(names);
    expect(both.map((one) => longName(one, both))).toEqual(names);
  });

  it('shortens a server that is called by its key', () => {
    const both = [named('a', 'EUR', 'Euro'), named('b', 'EUR', 'Euro', '12D3KooWMe9hhAL9KC7X8n9s8u1RxsAATC1rCciqtezGhf4TqSjD')];
    expect(both.map((one) => briefName(one, both))).toEqual(['EUR · a.example', 'EUR · 12D3…zGhf4TqSjD']);
  });

  it('is of another server where another has issued it', () => {
    expect([farIssuer(EUR), farIssuer(FAR), farIssuer({ issuer: '' }), farIssuer({})]).toEqual([null, 'garden.example', null, null]);
  });
});

describe("the own server's money", () => {
  it('comes first, and after what there is some of', async () => {
    const ids = (): string[][] => [payable(), askable(), wallet.accounts, wallet.assets].map((all) => all.map(({ asset }) => asset.id));
    // There is an account of it, and nothing on it.
    owns('i', 'eur', 30_000n);
    bank.move({ id: 'o', purpose: 'redeem', asset: 'eur', from: ME, to: 'node', amount: 30_000n });
    await wallet.load();
    expect(ids()).toEqual([['far', 'eur'], ['eur', 'far'], ['eur', 'far'], ['eur', 'far']]);
    owns('j', 'eur', 1n);
    await wallet.load();
    expect(ids()).toEqual([['eur', 'far'], ['eur', 'far'], ['eur', 'far'], ['eur', 'far']]);
  });

  it('is what is paid with unless something else is chosen, and each has its name', async () => {
    owns('i', 'eur', 30_000n);
    await wallet.load();
    pay();
    expect(offered()).toEqual(['Euro (EUR)', 'Gartengeld (EUR)']);
    expect(note()).toBe('300.00 EUR available');
    await fireEvent.change(screen.getByLabelText('Currency'), { target: { value: 'far' } });
    expect(note()).toBe('7.37 EUR available · Money of garden.example');
  });

  it('has a card without a server; what another issues has one, also at the PIN', () => {
    const [account] = wallet.accounts;
    if (!account) throw new Error('no account');
    render(AccountCard, { account: { ...account, asset: EUR }, selected: true });
    expect(screen.queryByText(/Money of/)).toBeNull();
    render(AccountCard, { account, selected: true });
    expect(screen.getAllByText('Money of garden.example')).toHaveLength(1);
    render(PinSheet, { title: 'Pay', minor: '1', asset: FAR, onpin: async () => undefined, ondone: () => undefined, onclose: () => undefined });
    expect(screen.getAllByText('Money of garden.example')).toHaveLength(2);
  });
});

describe('a limit', () => {
  beforeEach(async () => {
    owns('i', 'eur', 80_000n);
    await wallet.load();
  });

  it('is said at the amount, with its number, before the PIN', async () => {
    pay();
    await type('600');
    expect(note()).toBe('One payment may be 500.00 EUR at most.');
    await go();
    expect(screen.queryByLabelText('Payment PIN')).toBeNull();
    await type('500');
    expect(note()).toBe('800.00 EUR available');
    await go();
    await waitFor(() => expect(screen.getByLabelText('Payment PIN')).toBeTruthy());
  });

  it('is not what stands in the way where there is not as much', async () => {
    bank.move({ id: 'o', purpose: 'transfer', asset: 'eur', from: ME, to: BOB, amount: 45_000n });
    await wallet.load();
    pay();
    await type('600');
    expect(note()).toBe('This is more than the 350.00 EUR that can be paid now.');
  });

  it('of a day is said where it is the lower one', async () => {
    bank.define(EUR, { payment_max: '0', day_max: '20000' });
    await wallet.load();
    pay();
    await type('200.01');
    expect(note()).toBe('At most 200.00 EUR may be paid in a day.');
    expect(mostOf('eur', false)).toBeNull();
  });

  it('bounds what is asked for, of somebody of this server', async () => {
    render(RequestSheet, { user: BOB, name: 'Bob', chat: 'c', onclose: () => undefined });
    await type('500.01');
    expect(note()).toBe('One payment may be 500.00 EUR at most.');
    expect((screen.getByRole('button', { name: 'Ask', hidden: true }) as HTMLButtonElement).disabled).toBe(true);
    // Another server has limits of its own.
    expect([mostAsked('eur', MEI), mostAsked('far', BOB)]).toEqual([null, null]);
  });
});
