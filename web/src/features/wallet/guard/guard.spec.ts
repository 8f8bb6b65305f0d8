import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, ME } from '../../../engine/fake';
import { answerGuard, FakeGuard } from '../../../engine/fake-guard';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { notices } from '../../../state/notices.svelte';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import WalletHome from '../WalletHome.svelte';
import AgentsPage from './AgentsPage.svelte';
import ApprovalsPage from './ApprovalsPage.svelte';
import CashPage from './CashPage.svelte';
import LimitsPage from './LimitsPage.svelte';
import { cashCode, readCashCode } from './words';

vi.mock('lean-qr', () => ({ generate: () => ({ toCanvas: () => undefined }) }));

const BOB = 'bob@home.example';
const CAROL = 'carol@home.example';
let bank: FakeBank;
let guard: FakeGuard;
let fake: FakeEngine;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  vi.stubGlobal('IntersectionObserver', class {
    observe(): void {}
    disconnect(): void {}
  });
  bank = new FakeBank().define(EUR, { title: 'Euro', payment_max: '50000' });
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  guard = new FakeGuard(bank);
  fake = answerGuard(answerWallet(new FakeEngine(), bank), guard);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  be('owner');
  wallet.clear();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  session.me = null;
});
function be(role: 'owner' | 'member'): void {
  guard.owner = role === 'owner';
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role, phrase_confirmed: true };
}
const press = async (name: string | RegExp): Promise<boolean> => fireEvent.click((await screen.findAllByRole('button', { name, hidden: true }, { timeout: 4_000 })).at(-1) ?? document.body);
const fill = async (label: string, value: string): Promise<boolean> => fireEvent.input(await screen.findByLabelText(label, {}, { timeout: 4_000 }), { target: { value } });
const shows = (text: string | RegExp): Promise<void> => waitFor(() => void expect(screen.getAllByText(text).length).toBeGreaterThan(0), { timeout: 4_000 });
const calls = (name: string): unknown[] => fake.calls.filter(({ call }) => call === name);
const said = (): string => notices.toasts.map((one) => one.text).join('\n').replace(/\s/g, ' ');
async function pin(digits = PIN): Promise<void> {
  await shows('Payment PIN');
  await fill('Payment PIN', digits);
}

describe('limits and approvals', { timeout: 20_000 }, () => {
  it('shows what there is now, and asks for an approver before there can be a threshold', async () => {
    render(LimitsPage);
    await shows('500.00 EUR');
    expect(screen.getByText('No approval needed')).toBeTruthy();
    await press(/Approval threshold/);
    await shows(/Propose an approver first/);
    await press('Close');
    await press('Propose an approver');
    await shows(/The first approver agrees to it themselves/);
    await fill('Member', 'bob');
    await press('Propose');
    await waitFor(() => expect(said()).toContain('It waits for approval.'));
    expect(calls('change_approver')).toEqual([{ call: 'change_approver', user: BOB, on: true }]);
    await shows('Bob Okafor becomes an approver.');
  });

  it('lowers a threshold at once, and says that a higher one waits', async () => {
    guard.approvers = [BOB];
    guard.thresholds.set('eur', 10_000n);
    render(LimitsPage);
    await shows(/100.00 EUR a day without approval/);
    await press(/Approval threshold/);
    await fill('Most that you issue in a day alone', '200.00');
    await shows(/That weakens the rule/);
    await press('Propose');
    await shows(/The threshold is raised to 200.00 EUR/);
    expect(guard.thresholds.get('eur')).toBe(10_000n);
    await press(/Approval threshold/);
    await fill('Most that you issue in a day alone', '50.00');
    await press('Save');
    await shows(/50.00 EUR a day without approval/);
    // She takes the other one back.
    await press(/The threshold is raised/);
    await press('Take back');
    await shows('Taken back by the operator');
  });

  it('lets an approver sign exactly what is on the screen', async () => {
    be('member');
    guard.approvers = [ME];
    guard.propose('one', 'issue', { asset: EUR, amount: '250000', person: bank.person(CAROL) });
    render(WalletHome);
    await shows('1 for you to decide');
    cleanup();
    render(ApprovalsPage);
    await press(/Issue 2,500.00.EUR to Carol Lindqvist/);
    await shows(/It is done at once when you approve it/);
    await press('Approve');
    await pin();
    await waitFor(() => expect(said()).toContain('Approved.'));
    expect(calls('decide_proposal')).toEqual([{ call: 'decide_proposal', id: 'one', print: 'print one', accept: true, pin: PIN }]);
    await shows('Approved by Alice');
  });

  it('says what is wrong beside it, and declines', async () => {
    be('member');
    guard.approvers = [ME];
    guard.propose('one', 'issue', { asset: EUR, amount: '100', person: bank.person(CAROL), print: 'something older' });
    guard.propose('two', 'dismiss', { person: bank.person(BOB) });
    render(ApprovalsPage);
    await press(/Issue 1.00.EUR to Carol Lindqvist/);
    await press('Approve');
    await pin();
    await shows(/This says something else now/);
    cleanup();
    render(ApprovalsPage);
    await press(/Bob Okafor is an approver no longer/);
    await press('Decline');
    await pin();
    await shows('Declined by Alice');
  });
});

describe('cash agents', { timeout: 20_000 }, () => {
  it('are named, settled with and stopped by the owner', async () => {
    render(AgentsPage);
    await shows('No cash agents');
    await press('Name a cash agent');
    await fill('Member', 'carol');
    await fill('Most that the agent may owe', '50.00');
    await press('Save');
    await shows(/owes 0.00 EUR of 50.00 EUR/);
    bank.move({ id: 'c', purpose: 'cash_in', asset: 'eur', from: `float ${CAROL}`, to: BOB, amount: 2_000n });
    await press(/Carol Lindqvist/);
    await press('The agent has brought cash');
    await fill('Amount', '30.00');
    await press('Mark as settled');
    await waitFor(() => expect(said()).toContain('30.00 EUR settled with Carol Lindqvist.'));
    await shows('Owed to the agent');
    await press('Stop the agent');
    await waitFor(() => expect(guard.agents[0]?.frozen).toBe(true));
    await shows(/The operator has stopped this agent/);
  });

  it('take cash within the float, with an error of its own beyond it', async () => {
    be('member');
    guard.agents = [{ user: ME, asset: 'eur', limit: 5_000n, frozen: false, in: 0n, out: 0n }];
    render(CashPage);
    await shows('Float in EUR');
    await press('Take cash');
    await fill('Member', 'bob');
    await fill('Cash that you have taken', '40.00');
    await press('Continue');
    // Somebody else has used the float meanwhile.
    bank.move({ id: 'c', purpose: 'cash_in', asset: 'eur', from: `float ${ME}`, to: CAROL, amount: 2_000n });
    await pin();
    await shows(/more than the cash agent’s float allows/);
    bank.move({ id: 'd', purpose: 'cash_out', asset: 'eur', from: CAROL, to: `float ${ME}`, amount: 2_000n });
    await pin();
    await waitFor(() => expect(said()).toContain('40.00 EUR for bob.'));
    expect(bank.balance(BOB, 'eur')).toBe(4_000n);
    await press('My code');
    await waitFor(() => expect(screen.getByRole('img', { name: 'My code', hidden: true }).dataset['content']).toBe(cashCode(ME, 'eur')));
  });

  it('give out cash for money', async () => {
    be('member');
    guard.agents = [{ user: CAROL, asset: 'eur', limit: 5_000n, frozen: false, in: 0n, out: 0n }];
    render(CashPage);
    await press(/Carol Lindqvist/);
    await fill('Amount', '15.00');
    await press('Continue');
    await pin();
    await waitFor(() => expect(said()).toContain('15.00 EUR paid to Carol Lindqvist for cash.'));
    expect(bank.balance(`float ${CAROL}`, 'eur')).toBe(1_500n);
  });

  it('have a code that says no more than who and of what', () => {
    const asset = 'ab'.repeat(16);
    expect(readCashCode(` ${cashCode(CAROL, asset)}\n`)).toEqual({ user: CAROL, asset });
    for (const other of ['weft:cash/carol', `weft:cash/?asset=${asset}`, `weft:cash/${CAROL}?asset=x`, `weft:pay/${CAROL}`, `${cashCode(CAROL, asset)}&amount=1`]) expect(readCashCode(other)).toBeNull();
  });
});
