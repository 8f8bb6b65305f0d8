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
import { router } from '../../../router.svelte';
import { i18n } from '../../../state/i18n.svelte';
import { editRate } from '../exchange';
import BankPages from './BankPages.svelte';
import LinkPage from './LinkPage.svelte';
import { comparedLines, editLimit, readLimit, readRate, termsError, untilOf } from './terms';
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
  i18n.set('system');
  vi.restoreAllMocks();
  i18n.start();
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
    await press('Sign and offer');
    await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText('Of our EUR they take at most')));
    expect(asked('offer')).toEqual([]);
    await fill('Of our EUR they take at most', '40');
    await press('Sign and offer');
    await waitFor(() => expect(asked('offer')).toMatchObject([{ name: NODE, rows: [['seen', 'd1'], ['asset', 'EUR', '', '2', '40.00']] }]));
    await waitFor(() => expect(screen.getByText('You offer these terms')).toBeTruthy());
    await fireEvent.click(screen.getByText('You offer these terms'));
    await press('Take back');
    await waitFor(() => expect(screen.getByText('Being taken back')).toBeTruthy());
  });

  it('stand in words under the form before they are signed, as they were read', async () => {
    links.offer(NODE, 'in_force', 'd1', '1000.00', [['asset', 'USD', '1', '2', '50.00'], ['rate', 'EUR', '', 'USD', '1', '1.09', '']]);
    vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['de-DE', 'en']);
    i18n.start();
    await page(/^In force since/);
    await press('Offer other terms');
    const rate = screen.getByLabelText<HTMLInputElement>('For 1 EUR so many USD');
    expect(rate.value).toBe('1,09');
    expect(screen.queryByText('This is what you sign')).toBeNull();
    await fireEvent.input(rate, { target: { value: '1.095' } });
    const signed = (): string => screen.getByRole('region', { name: 'This is what you sign', hidden: true }).textContent.replace(/\s+/gu, ' ');
    expect(signed()).toContain('They take up to 1.000,00 EUR of ours');
    expect(signed()).toContain('1 EUR becomes 1,095 USDso far: 1 EUR becomes 1,09 USD');
    await fireEvent.input(rate, { target: { value: '1.000,5' } });
    expect(screen.getByText(/one point or comma/)).toBeTruthy();
    expect(screen.queryByText('This is what you sign')).toBeNull();
    await press('Sign and offer');
    await waitFor(() => expect(document.activeElement).toBe(rate));
    expect([asked('offer'), rate.closest('details')?.open]).toEqual([[], true]);
    await fireEvent.input(rate, { target: { value: '' } });
    expect(signed()).toContain('1 EUR becomes 1,09 USDno longer');
    await fireEvent.input(rate, { target: { value: '1,095' } });
    await press('Sign and offer');
    await waitFor(() => expect(asked('offer')).toMatchObject([{ rows: [['seen', 'd1'], ['rate', 'EUR', '', 'USD', '1', '1.095', '']] }]));
  });

  it('are not offered on others than they were filled in from', async () => {
    links.offer(NODE, 'in_force', 'd1', '100.00');
    await page(/^In force since/);
    await press('Offer other terms');
    await fill('Of our EUR they take at most', '40');
    // They sign something meanwhile: the page has not heard of it yet.
    links.terms.delete(NODE);
    links.offer(NODE, 'in_force', 'd2', '70.00');
    await press('Sign and offer');
    await waitFor(() => expect(asked('offer')).toMatchObject([{ rows: [['seen', 'd1'], ['asset', 'EUR', '', '2', '40.00']] }]));
    // By then it has.
    await waitFor(() => expect(screen.getByText(/than those this began from/)).toBeTruthy());
    expect(screen.queryByRole('button', { name: 'Sign and offer', hidden: true })).toBeNull();
    await fireEvent.submit(document.querySelector('form') ?? document.body);
    expect(asked('offer')).toHaveLength(1);
    await press('Begin anew');
    expect(screen.getByLabelText<HTMLInputElement>('Of our EUR they take at most').value).toBe('70.00');
    await fill('Of our EUR they take at most', '40');
    await press('Sign and offer');
    await waitFor(() => expect(asked('offer').at(-1)).toMatchObject({ rows: [['seen', 'd2'], ['asset', 'EUR', '', '2', '40.00']] }));
  });

  it('are taken back as they were looked at, and not what was offered since', async () => {
    links.offer(NODE, 'offered', 'o1', '40.00');
    await page('You offer these terms');
    await fireEvent.click(screen.getByText('You offer these terms'));
    links.offer(NODE, 'offered', 'o2', '60.00');
    await press('Take back');
    await waitFor(() => expect(screen.getByText(/offered something else by now/)).toBeTruthy());
    expect(asked('withdraw')).toEqual([]);
    await fireEvent.click(screen.getAllByRole('button', { name: 'Close', hidden: true }).at(-1) as HTMLElement);
    await fireEvent.click(screen.getAllByText('You offer these terms')[0] as HTMLElement);
    expect(screen.getByText(/All 2 offers of yours/)).toBeTruthy();
    await press('Take back');
    await waitFor(() => expect(asked('withdraw')).toHaveLength(1));
  });

  it('of another server are another page: what was opened for one is not done to the other', async () => {
    links.offer(NODE, 'in_force', 'd1', '100.00');
    links.offer('orchard.example', 'in_force', 'd7', '100.00');
    router.go(`/me/wallet/links/${NODE}`);
    render(BankPages, { page: 'links' });
    await waitFor(() => expect(screen.getByText(/^In force since/)).toBeTruthy());
    await press('Stop payments');
    expect(screen.getByText(/Only both operators together/)).toBeTruthy();
    router.go('/me/wallet/links/orchard.example');
    await waitFor(() => expect(screen.queryByText(/Only both operators together/)).toBeNull());
    await waitFor(() => expect(screen.getByText(/^In force since/)).toBeTruthy());
    expect(asked('freeze')).toEqual([]);
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

  it.each([
    ['en', /This would bring 10.00 EUR into the world, which needs an approver/, 'See how they go on', 'Sign this', 'Look again'],
    ['zh', /这会使 10.00 EUR 进入流通，需要审批人同意/, '查看如何恢复', '签署', '重新查看'],
  ] as const)('do not go on with what needs an approver, and say so in %s', async (language, why, look, sign, again) => {
    links.offer(NODE, 'in_force', 'd1', '100.00');
    links.terms.set(NODE, [['link', 'stopped', '1795219200000', ''], ...(links.terms.get(NODE) ?? []).slice(1)]);
    links.guarded = '10.00 EUR';
    i18n.set(language);
    render(LinkPage, { node: NODE });
    await waitFor(() => expect(screen.getByRole('button', { name: look, hidden: true })).toBeTruthy());
    await press(look);
    await waitFor(() => expect(screen.getByText(why)).toBeTruthy());
    expect(screen.queryByRole('button', { name: sign, hidden: true })).toBeNull();
    // Among what moves it is not.
    expect(screen.getAllByRole('listitem', { hidden: true }).map(({ textContent }) => textContent)).toEqual([expect.stringContaining('30.00')]);
    links.guarded = null;
    await press(again);
    await waitFor(() => expect(screen.getByRole('button', { name: sign, hidden: true })).toBeTruthy());
    expect(screen.queryByText(why)).toBeNull();
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
      ['conflict', 'offers_moved', /something else by now/],
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
    expect(editLimit({ code: 'EUR', theirs: false, scale: 2, limit: '500.00' }, 'de')).toBe('500,00');
    expect([untilOf(''), untilOf('2026-11-30')]).toEqual(['', String(Date.UTC(2026, 11, 1))]);
  });

  it.each<[string, string]>([
    ['1.095', '1.095'],
    ['1,095', '1.095'],
    ['0,855', '0.855'],
    ['0.855', '0.855'],
    ['1.000', '1'],
    ['100', '100'],
    ['1,090', '1.09'],
    ['007,50', '7.5'],
    ['.5', '0.5'],
    ['1.', '1'],
    ['１。０９', '1.09'],
    ['0,000000001', '0.000000001'],
    ['1.000,5', 'marks'],
    ['1,000.5', 'marks'],
    ['1.000.000', 'marks'],
    ['1 000', 'marks'],
    ["1'000", 'marks'],
    ['0', 'number'],
    ['0,000', 'number'],
    ['-1', 'number'],
    ['1e3', 'number'],
    ['', 'number'],
    ['.', 'number'],
    ['100/3', 'number'],
    ['0.0000000001', 'decimals'],
  ])('as a rate, %j is %s, in every language', (text, wanted) => {
    const read = readRate(text);
    expect(read.error ?? read.rate).toBe(wanted);
    for (const region of ['en', 'de', 'fr', 'zh', 'de-CH']) {
      const wish = new Wish(null, [{ id: 'e', issuer: 'home', code: 'EUR', scale: 2 }], region);
      wish.more = { code: 'USD', scale: '2', limit: '10' };
      wish.rate = { give: 'EUR', get: 'their:USD', text, day: '' };
      if (text) expect(wish.rateErrors.text === undefined, region).toBe(read.error === undefined);
      expect(wish.rows().find(([what]) => what === 'rate')?.[5], region).toBe(read.rate);
      // As it is filled in, it is read back.
      if (read.rate) expect(readRate(editRate(read.rate, region)).rate, region).toBe(read.rate);
    }
  });

  it('is said with what was before, and with whose it is where the names are the same', () => {
    const rate = { give: 'EUR', givesTheirs: false, get: 'EUR', getsTheirs: true, rate: '100/3', until_ms: null };
    const before = { assets: [{ code: 'EUR', theirs: false, scale: 2, limit: '1000.00' }], rates: [rate], lifetime_ms: 86_400_000 };
    const after = { assets: [{ code: 'EUR', theirs: true, scale: 2, limit: '5.00' }], rates: [{ ...rate, rate: '1.5' }, { ...rate, givesTheirs: true, getsTheirs: false }], lifetime_ms: 86_400_000 };
    const plain = comparedLines(after, before, { tag: 'en', region: 'de' }).map((line) => line.map((text) => text.replace(/\s/gu, ' ')));
    expect(plain).toEqual([
      ['We take up to 5,00 EUR of theirs', 'new'],
      ['1 our EUR becomes 1,5 their EUR', 'so far: 1 our EUR becomes 100/3 their EUR'],
      ['1 their EUR becomes 100/3 our EUR', 'new'],
      [expect.any(String), ''],
    ]);
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
    // What is read back is what these rows come to.
    expect(wish.after).toEqual({
      assets: [
        { code: 'EUR', theirs: false, scale: 2, limit: '100.00' },
        { code: 'USD', theirs: true, scale: 2, limit: '20.00' },
        { code: 'POINTS', theirs: true, scale: 0, limit: '10' },
      ],
      rates: [{ give: 'USD', givesTheirs: true, get: 'EUR', getsTheirs: false, rate: '0.9', until_ms: Date.UTC(2026, 11, 1) }],
      lifetime_ms: 604_800_000,
    });
    wish.days = '0';
    expect(wish.wrong).toBe(true);
  });
});
