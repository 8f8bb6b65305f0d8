import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answerDesk, FakeDesk } from '../../../engine/fake-bank';
import { fail, FakeEngine, ME } from '../../../engine/fake';
import { answerLinks, FakeLinks } from '../../../engine/fake-links';
import { answerWallet, FakeBank } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { readTerms } from '../../../state/link-terms.svelte';
import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import LinkPage from './LinkPage.svelte';
import { editLimit, readLimit, readRate, termsError, untilOf } from './terms';
import { Wish } from './wish.svelte';

const NODE = 'garden.example';
let links: FakeLinks;
let fake: FakeEngine;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  const bank = new FakeBank();
  const desk = new FakeDesk(bank);
  links = new FakeLinks();
  fake = answerLinks(answerDesk(answerWallet(new FakeEngine(), bank), desk), desk, links);
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  wallet.clear();
  await wallet.load();
});
afterEach(() => {
  cleanup();
  session.me = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const fill = (label: string, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const asked = (act: string): unknown[] => fake.calls.filter((call) => call.call === 'link_terms' && call.act === act);
const page = async (text: string | RegExp): Promise<void> => {
  render(LinkPage, { node: NODE });
  await waitFor(() => expect(screen.getByText(text)).toBeTruthy());
};

describe('terms with another server', () => {
  it('are accepted as they were looked at, and not if they are otherwise by then', async () => {
    links.offer(NODE, 'in_force', 'd1', '100.00');
    links.offer(NODE, 'asked', 'd2', '40.00');
    await page('They offer these terms');
    await fireEvent.click(screen.getByText('They offer these terms'));
    expect(screen.getByText('so far: 100.00 EUR')).toBeTruthy();
    expect(screen.getByText('Not signed')).toBeTruthy();
    const [, row] = links.terms.get(NODE) ?? [];
    row?.splice(2, 1, 'd3');
    await press('Sign and accept');
    await waitFor(() => expect(screen.getByText(/offered something else by now/)).toBeTruthy());
    expect(asked('accept')).toMatchObject([{ name: NODE, rows: [['d2']] }]);
    expect(readTerms(links.terms.get(NODE) ?? []).terms[0]?.standing).toBe('asked');
    row?.splice(2, 1, 'd2');
    await press('Sign and accept');
    await waitFor(() => expect(screen.getByText('Earlier terms (1)')).toBeTruthy());
    expect(screen.queryByText('They offer these terms')).toBeNull();
  });

  it('are offered, with what was looked at, and taken back', async () => {
    links.offer(NODE, 'in_force', 'd1', '100.00');
    await page(/^In force since/);
    await press('Offer other terms');
    await press('Sign and offer');
    expect(screen.getByText('Nothing is otherwise than before.')).toBeTruthy();
    await fill('Of our EUR they take at most', '-5');
    expect(screen.getByRole('button', { name: 'Sign and offer', hidden: true }).hasAttribute('disabled')).toBe(true);
    await fill('Of our EUR they take at most', '40');
    await press('Sign and offer');
    await waitFor(() => expect(asked('offer')).toMatchObject([{ name: NODE, rows: [['seen', 'd1'], ['asset', 'EUR', '', '2', '40.00']] }]));
    await waitFor(() => expect(screen.getByText('You offer these terms')).toBeTruthy());
    await fireEvent.click(screen.getByText('You offer these terms'));
    await press('Take back');
    await waitFor(() => expect(screen.getByText('Being taken back')).toBeTruthy());
  });

  it('are stopped, and go on with what was shown', async () => {
    links.offer(NODE, 'in_force', 'd1', '100.00');
    await page(/^In force since/);
    await press('Stop payments');
    expect(screen.getByText(/Only both operators together/)).toBeTruthy();
    await fireEvent.click(screen.getAllByRole('button', { name: 'Stop payments', hidden: true }).at(-1) as HTMLElement);
    await waitFor(() => expect(screen.getByText(/Payments are stopped/)).toBeTruthy());
    await press('See how they go on');
    await waitFor(() => expect(screen.getByText(/30.00 owed in these books/)).toBeTruthy());
    expect(asked('thaw')).toMatchObject([{ rows: [['0', '']] }]);
    links.thaw = ['d9', 'something else'];
    await press('Sign this');
    await waitFor(() => expect(screen.getByText(/Something else follows/)).toBeTruthy());
    links.thaw = ['d0', 'as it was'];
    await press('Sign this');
    await waitFor(() => expect(screen.getByText(/the other operator has not\./)).toBeTruthy());
    expect(asked('thaw').at(-1)).toMatchObject({ rows: [['0', 'd0']] });
  });

  it('say in words why they cannot be', () => {
    const words = termsError(() => 'missing');
    const codes: [string, string | undefined, RegExp][] = [
      ['conflict', 'gain', /together gain/],
      ['conflict', 'terms_moved', /Other terms are in force/],
      ['conflict', 'guarded', /needs an approver/],
      ['conflict', 'lifetime', /1 to 366/],
      ['conflict', 'refused', /refuses this/],
      ['invalid_field', 'limit', /not below zero/],
      ['invalid_field', 'rate', /above zero/],
      ['not_found', undefined, /^missing$/],
      ['too_many', undefined, /Too many offers/],
      ['no_link', undefined, /./],
    ];
    for (const [code, field, text] of codes) expect(words(fail(code, field)), `${code} ${field}`).toMatch(text);
  });

  it('are for the owner alone', () => {
    session.me = session.me && { ...session.me, role: 'member' };
    render(LinkPage, { node: NODE });
    expect(asked('terms')).toEqual([]);
  });
});

describe('what is typed of terms', () => {
  it('is read as the language writes it, and 0 is a limit', () => {
    expect(readLimit('1.234,5', 2, 'de')).toEqual({ limit: '1234.50' });
    expect(readLimit('0', 2, 'en')).toEqual({ limit: '0.00' });
    for (const bad of ['-1', '1.234', 'x', '', '99999999999999999999']) expect(readLimit(bad, 2, 'en').error, bad).toBeTruthy();
    expect([readRate('1,09', 'de'), readRate('100', 'en'), readRate('0', 'en'), readRate('-1', 'en')]).toEqual(['1.09', '100', null, null]);
    expect(editLimit({ code: 'EUR', theirs: false, scale: 2, limit: '500.00' }, 'de')).toBe('500,00');
    expect([untilOf(''), untilOf('2026-11-30')]).toEqual(['', String(Date.UTC(2026, 11, 1))]);
  });

  it('names what is otherwise, and nothing else', () => {
    const table = [
      ['link', '', '', ''],
      ['terms', 'in_force', 'd1', '3', '604800000', '', 'aa', 'bb'],
      ['asset', 'EUR', '', '2', '100.00'],
      ['asset', 'USD', '1', '2', '50.00'],
      ['rate', 'EUR', '', 'USD', '1', '1.09', ''],
    ];
    const wish = new Wish(readTerms(table).terms[0] ?? null, [{ id: 'h', issuer: 'home', code: 'HOURS', scale: 0 }], 'en');
    expect(wish.changed).toBe(false);
    wish.assets[1] = { ...(wish.assets[1] as (typeof wish.assets)[0]), limit: '20' };
    wish.more = { code: 'POINTS', scale: '0', limit: '10' };
    wish.rates[0] = { ...(wish.rates[0] as (typeof wish.rates)[0]), text: '' };
    wish.rate = { give: 'their:USD', get: 'EUR', text: '0.9', day: '2026-11-30' };
    expect(wish.wrong).toBe(false);
    expect(wish.rows()).toEqual([
      ['asset', 'USD', '1', '2', '20.00'],
      ['asset', 'POINTS', '1', '0', '10'],
      ['rate', 'EUR', '', 'USD', '1', '', ''],
      ['rate', 'USD', '1', 'EUR', '', '0.9', String(Date.UTC(2026, 11, 1))],
    ]);
    wish.days = '0';
    expect(wish.wrong).toBe(true);
  });
});
