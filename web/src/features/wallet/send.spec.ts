import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { contact, fail, FakeEngine, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { contacts } from '../../state/contacts.svelte';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import SendSheet from './SendSheet.svelte';
import { meantBy } from './send';

const [BOB, BOBBY, MEI, ZOE] = ['bob@home.example', 'bobby@home.example', 'mei@garden.example', 'zoe@away.example'];
const KEY = '12D3KooWMe9hhAL9KC7X8n9s8u1RxsAATC1rCciqtezGhf4TqSjD';
let bank: FakeBank;
let fake: FakeEngine;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  bank = new FakeBank();
  bank.pin = PIN;
  bank.links = [{ node: 'garden.example', assets: [EUR.id], rates: [] }, { node: KEY, assets: [EUR.id], rates: [] }];
  bank.define(EUR, { title: 'Euro' }).move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  fake = answerWallet(new FakeEngine(), bank).on('contacts', () => [contact(BOB, 'Bob Okafor', { verified: true }), contact(BOBBY, 'Bobby'), contact(MEI, 'Mei'), contact(ZOE, 'Zoe')]);
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
  wallet.clear();
  await Promise.all([wallet.load(), contacts.load()]);
});
afterEach(() => {
  cleanup();
  contacts.clear();
  session.me = null;
});
const field = (): HTMLInputElement => screen.getByLabelText<HTMLInputElement>('Name or address');
const type = (value: string): Promise<boolean> => fireEvent.input(field(), { target: { value } });
const rows = (): string[] => screen.queryAllByRole('button', { hidden: true }).flatMap((one) => one.querySelector('.title')?.textContent ?? []);
const enter = (): Promise<boolean> => fireEvent.submit(field().closest('form') as HTMLFormElement);
const note = (): string => document.getElementById(field().getAttribute('aria-describedby') ?? '')?.textContent ?? '';
const open = (): void => void render(SendSheet, { onclose: () => undefined });

describe('whom one sends money', () => {
  it('is a contact whom it reaches, found by name and address', async () => {
    open();
    expect(rows()).toEqual(['Bob Okafor', 'Bobby', 'Mei']);
    await type('okaf');
    expect(rows()).toEqual(['Bob Okafor', 'okaf@home.example']);
    await fireEvent.click(screen.getByText('Bob Okafor'));
    expect([screen.getByLabelText('Amount'), screen.getByLabelText('Verified'), screen.getByText(BOB)].length).toBe(3);
  });

  it('is anybody else by name and server, and shown as somebody who is no contact', async () => {
    open();
    await type('Carol@Garden.example');
    expect(rows()).toEqual(['carol@garden.example']);
    await fireEvent.click(screen.getByText('carol@garden.example'));
    expect([screen.getByText('Not a contact'), screen.getByText('carol@garden.example')].length).toBe(2);
    // There is no chat in which a note could go.
    expect(screen.queryByLabelText('What for (optional)')).toBeNull();
    await fireEvent.input(screen.getByLabelText('Amount'), { target: { value: '5' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Continue', hidden: true }));
    expect([screen.getByText('Not a contact'), screen.getByText('carol@garden.example')].length).toBe(2);
    await fireEvent.input(screen.getByLabelText('Payment PIN'), { target: { value: PIN } });
    await waitFor(() => expect(bank.held(ME, 'eur', 'from')).toBe(500n));
    expect(fake.calls.find(({ call }) => call === 'pay')).toMatchObject({ user: 'carol@garden.example', hold: true, chat: null, note: '' });
  });

  it('is told from nobody when it is paid', async () => {
    open();
    await type('nobody');
    await enter();
    await fireEvent.input(screen.getByLabelText('Amount'), { target: { value: '5' } });
    await fireEvent.click(screen.getByRole('button', { name: 'Continue', hidden: true }));
    fake.on('pay', () => {
      throw fail('not_found');
    });
    await fireEvent.input(screen.getByLabelText('Payment PIN'), { target: { value: PIN } });
    await waitFor(() => expect(screen.getByText('There is nobody of this name at this server.')).toBeTruthy());
  });

  it('is taken by Enter where one alone can be meant, and else it says why not', async () => {
    open();
    await enter();
    await waitFor(() => expect(document.activeElement).toBe(field()));
    expect(note()).toContain('choose somebody below');
    await type('Bob O');
    expect(note()).not.toContain('choose');
    await type('b b');
    await enter();
    expect(note()).toContain('nobody’s address');
    await type('@home');
    await enter();
    expect(note()).toContain('Several are meant');
    await type('alice');
    expect([note(), rows()]).toEqual(['That is you.', []]);
    await type('zoe@away.example');
    expect([note(), rows()]).toEqual(['No payments are exchanged with away.example.', []]);
    await enter();
    expect(screen.queryByLabelText('Amount')).toBeNull();
    // The address of one is the beginning of the other's.
    await type('bob@home.example');
    await enter();
    expect([screen.getByLabelText('Amount'), screen.getByText('Bob Okafor')].length).toBe(2);
  });

  it('is read from what is typed', () => {
    expect(meantBy(' Bob ', ME)).toEqual({ user: BOB });
    expect(meantBy('MEI@GARDEN.example', ME)).toEqual({ user: MEI });
    expect(meantBy(`mei@${KEY.toLowerCase()}`, ME)).toEqual({ user: `mei@${KEY}` });
    expect(meantBy('zoe@away.example', ME)).toEqual({ elsewhere: 'away.example' });
    for (const text of ['', ' ', '@', 'bob@', '@garden.example', 'b b', 'b b@garden.example', 'a@b@garden.example']) expect(meantBy(text, ME), text).toBeNull();
  });
});
