import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerDesk, FakeDesk } from '../../../engine/fake-bank';
import { FakeEngine, ME } from '../../../engine/fake';
import { answerLinks, FakeLinks, said } from '../../../engine/fake-links';
import { answerWallet, FakeBank } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import LinkPage from './LinkPage.svelte';

const NODE = 'garden.example';
let desk: FakeDesk;
let links: FakeLinks;
let fake: FakeEngine;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  const bank = new FakeBank();
  desk = new FakeDesk(bank);
  const owed = [
    { code: 'EUR', ours: true, owed: '30.00', limit: '100.00' },
    { code: 'HOURS', ours: false, owed: '12', limit: '40' },
  ];
  desk.links = [{ node: NODE, terms: true, offered: false, asked: false, frozen: null, frozen_ms: null, waiting_out: 0, waiting_in: 0, owed }];
  links = new FakeLinks();
  links.offer(NODE, 'in_force', 'd1', '100.00');
  fake = answerLinks(answerDesk(answerWallet(new FakeEngine(), bank), desk), desk, links);
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  wallet.clear();
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const fill = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const calls = (name: string): unknown[] => fake.calls.filter(({ call }) => call === name);

describe('what is settled with another server', () => {
  it('is said by whoever owes: with where it was paid, and no more than is owed', async () => {
    render(LinkPage, { node: NODE });
    await waitFor(() => expect(screen.getByRole('button', { name: 'Settlement' })).toBeTruthy());
    await press('Settlement');
    await fill('Amount', '12.50');
    await press('Ask them to confirm');
    expect(screen.getByText(/has to find it/)).toBeTruthy();
    expect(calls('settle')).toEqual([]);
    await fill('Where and how', 'RF18 of 20 November');
    await press('Ask them to confirm');
    await waitFor(() => expect(calls('settle')).toMatchObject([{ name: NODE, code: 'EUR', amount: '12.50', against: null, note: 'RF18 of 20 November' }]));
    await waitFor(() => expect(screen.getByText('You say you have paid 12.50 EUR')).toBeTruthy());
    expect(screen.getByText(/Waits for them/)).toBeTruthy();
  });

  it('counts when the other operator has seen as much come', async () => {
    links.put(NODE, said('s1', '20.00'));
    render(LinkPage, { node: NODE });
    await waitFor(() => expect(screen.getByText('They say they have paid 20.00 EUR')).toBeTruthy());
    await fireEvent.click(screen.getByText('They say they have paid 20.00 EUR'));
    await fill('How much has come?', '19.99');
    await press('It has come');
    await waitFor(() => expect(screen.getByText(/said another amount/)).toBeTruthy());
    expect(links.of(NODE)[0]?.state).toBe('waiting');
    await fill('How much has come?', '20');
    await press('It has come');
    await waitFor(() => expect(links.of(NODE)[0]?.state).toBe('done'));
    await waitFor(() => expect(screen.getByText(/^Done/)).toBeTruthy());
  });

  it('is not so if the operator says so; and what is set off is confirmed without an amount', async () => {
    links.put(NODE, said('s1', '20.00'));
    links.put(NODE, said('s2', '12.00', { against: '12 HOURS', note: '' }));
    render(LinkPage, { node: NODE });
    await waitFor(() => expect(screen.getByText('12.00 EUR set off against 12 HOURS')).toBeTruthy());
    await fireEvent.click(screen.getByText('12.00 EUR set off against 12 HOURS'));
    await press('Accept');
    await waitFor(() => expect(links.of(NODE).find(({ id }) => id === 's2')?.state).toBe('done'));
    await waitFor(() => expect(screen.queryByRole('button', { name: 'Accept', hidden: true })).toBeNull());
    await fireEvent.click(screen.getByText('They say they have paid 20.00 EUR'));
    await press('It is not so');
    await waitFor(() => expect(links.of(NODE).find(({ id }) => id === 's1')?.state).toBe('rejected'));
  });

  it('stands in a statement that adds up', async () => {
    links.statement = [
      {
        code: 'EUR',
        issuer: 'home.example',
        opening: '30.00',
        closing: '17.50',
        sums: [['settlement', 1, '0.00', '12.50']],
        lines: [{ time_ms: 1_795_219_200_000, kind: 'settlement', id: '09', more: false, amount: '12.50', owed: '17.50', text: 'RF18' }],
        whole: true,
      },
    ];
    render(LinkPage, { node: NODE });
    await waitFor(() => expect(screen.getByLabelText('From')).toBeTruthy());
    await press('Show statement');
    await waitFor(() => expect(screen.getByText('Owed at the beginning: 30.00')).toBeTruthy());
    for (const text of ['Owed at the end: 17.50', '−12.50', 'RF18']) expect(screen.getByText(text), text).toBeTruthy();
  });

  it('is for the owner alone', () => {
    session.me = session.me && { ...session.me, role: 'member' };
    render(LinkPage, { node: NODE });
    expect(screen.getByText('You may not do that.')).toBeTruthy();
    expect(calls('settlements')).toEqual([]);
  });
});
