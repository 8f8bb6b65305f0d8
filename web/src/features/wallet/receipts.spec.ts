import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import LineSheet from './LineSheet.svelte';
import NodeKey from './NodeKey.svelte';
import { receiptFile } from './receipt';
import RefundSheet from './RefundSheet.svelte';

const BOB = 'bob@home.example';
let bank: FakeBank;
let fake: FakeEngine;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  fake = answerWallet(new FakeEngine(), bank);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
  for (const to of [ME, BOB]) bank.move({ id: `i${to}`, purpose: 'issue', asset: 'eur', from: 'node', to, amount: 10_000n });
  wallet.clear();
  await wallet.load();
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const there = (text: string | RegExp): Promise<void> => waitFor(() => void expect(screen.getAllByText(text).length).toBeGreaterThan(0));
const account = () => wallet.account('eur')!;

describe('a payment in full', () => {
  it('has the receipt that the node has signed, for whoever has paid', async () => {
    const paid = bank.move({ id: 'p', purpose: 'payment', asset: 'eur', from: ME, to: BOB, amount: 250n });
    render(LineSheet, { line: bank.line(paid), account: account(), onclose: () => undefined });
    await there('Receipt');
    expect(screen.getByRole('region', { name: 'Receipt', hidden: true }).textContent).toMatch(/Signed by.*home\.example.*12D3KooWHqFaQ/s);
    expect(screen.queryByText('Total')).toBeNull();
    const file = JSON.parse(receiptFile(bank.receipt('p'), EUR)) as { receipt: { signed: string; signature: string }; transfer: string };
    expect([file.transfer, file.receipt.signature.length]).toEqual(['p', 128]);
  });

  it('says amount, fee and total, as they are signed', async () => {
    const paid = bank.move({ id: 'p', purpose: 'payment', asset: 'eur', from: ME, to: BOB, amount: 1_000n });
    bank.feesTaken.set('p', '25');
    render(LineSheet, { line: bank.line(paid), account: account(), onclose: () => undefined });
    await there('Total');
    expect(screen.getByRole('region', { name: 'Receipt', hidden: true }).textContent).toMatch(/Amount10\.00\sEUR.*Fee0\.25\sEUR.*Total10\.25\sEUR/s);
    const file = JSON.parse(receiptFile(bank.receipt('p'), EUR)) as Record<string, unknown>;
    expect(file).toMatchObject({ asset: { code: 'EUR', id: 'eur' }, amount: '10.00', fee: '0.25', total: '10.25' });
  });

  it('says where it is, where this device has none', async () => {
    const paid = bank.move({ id: 'p', purpose: 'payment', asset: 'eur', from: ME, to: BOB, amount: 250n });
    fake.on('receipt', () => {
      throw fail('not_found');
    });
    render(LineSheet, { line: bank.line(paid), account: account(), onclose: () => undefined });
    await there(/keeps no receipt/);
  });

  it('gives back what waits only when asked twice', async () => {
    const held = bank.move({ id: 'h', purpose: 'transfer', asset: 'eur', from: BOB, to: ME, amount: 700n, state: 'held', until_ms: Date.now() + 60_000 });
    render(LineSheet, { line: bank.line(held), account: account(), onclose: () => undefined });
    await press('Give back');
    await there('Give 7.00 EUR back?');
    expect(bank.entry('h').state).toBe('held');
    await press('Give back');
    await waitFor(() => expect(bank.entry('h').state).toBe('returned'));
  });
});

describe('a refund that is not decided', () => {
  it('stands in the way of a second one of the same payment', async () => {
    const came = bank.move({ id: 'c', purpose: 'payment', asset: 'eur', from: BOB, to: ME, amount: 900n });
    bank.pending.set('r', { id: 'r', purpose: 'refund', asset: 'eur', from: ME, to: BOB, amount: 300n, refunds: 'c' });
    await wallet.load();
    render(RefundSheet, { line: bank.line(came), account: account(), ondone: () => undefined, onclose: () => undefined });
    await there(/3\.00 EUR to .* is not decided yet/);
    expect((screen.getByRole('button', { name: 'Continue', hidden: true }) as HTMLButtonElement).disabled).toBe(true);
    bank.pending.clear();
    await wallet.load();
    await waitFor(() => expect((screen.getByRole('button', { name: 'Continue', hidden: true }) as HTMLButtonElement).disabled).toBe(false));
  });
});

describe("the node's key", () => {
  it('is nothing to look at as long as it is the same', async () => {
    render(NodeKey);
    await waitFor(() => expect(fake.calls.some(({ call }) => call === 'node_key')).toBe(true));
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('is accepted by somebody who has seen both', async () => {
    bank.nodeKey = { ...bank.nodeKey, new_key: '12D3KooWOther' };
    render(NodeKey);
    await there('home.example signs with another key');
    expect(screen.getByRole('alert').textContent).toMatch(/12D3KooWHqFaQ.*12D3KooWOther/s);
    await press('Accept the new key');
    await there('Accept the new key of home.example?');
    await fireEvent.click(screen.getAllByRole('button', { name: 'Accept the new key', hidden: true }).at(-1)!);
    await waitFor(() => expect(bank.nodeKey.key).toBe('12D3KooWOther'));
    await waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
  });
});

describe('answers that overtake one another', () => {
  it('show what was asked for last', async () => {
    const first = { ...bank.view(bank.entry(`i${ME}`)), amount: '1' };
    let late: (() => void) | undefined;
    fake.on('transfer', () => new Promise((done) => (late = () => done(first))));
    const slow = wallet.askTransfer('x');
    await waitFor(() => expect(late).toBeDefined());
    fake.on('transfer', () => ({ ...first, amount: '2' }));
    await wallet.askTransfer('x');
    late?.();
    await slow;
    expect(wallet.transfer('x').value?.amount).toBe('2');
  });
});
