import { cleanup, render, screen } from '@testing-library/svelte';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../../../engine/fake';
import { foreign, payCode, payDigits, printed, readCode, sealed } from '../../../engine/fake-codes';
import { FakeMall } from '../../../engine/fake-shops';
import { answerShops } from '../../../engine/fake-tills';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { useEngine } from '../../../state/engine';
import { setNodeTime } from '../../../state/node-time';
import { shops } from '../../../state/shops.svelte';
import { freshId, wallet } from '../../../state/wallet.svelte';
import { codeError, digitsOf, grouped, hindrance } from './codes';
import { Roll } from './roll.svelte';
import { dayStartOf, mayRefund, refundableOf, saleState, totals } from './sales';
import { escaped, modulesOf, signFile } from './sign';
import TillRoll from './TillRoll.svelte';
import { tipOf } from './tips';
import { addressName, asciiName, countryName } from './words';

const [BOB, CAROL, SHOP] = ['bob@home.example', 'carol@home.example', 'corner@home.example'];
const DETAILS = { title: 'Corner shop', merchant_name: 'Corner shop', city: 'Berlin', country: 'DE', mcc: 5411 };
const DAY = 86_400_000;
let now: number;
let bank: FakeBank;
let mall: FakeMall;
let fake: FakeEngine;
beforeEach(() => {
  wallet.clear();
  now = Date.now();
  bank = new FakeBank(() => now).define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  mall = new FakeMall(bank);
  fake = answerShops(answerWallet(new FakeEngine(), bank), mall);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  for (const user of [ME, BOB, CAROL]) bank.move({ id: `i${user}`, purpose: 'issue', asset: 'eur', from: 'node', to: user, amount: 10_000n });
  mall.found(ME, 'corner', DETAILS);
});
const sell = (amount: string, part: object = {}) => shops.sell({ id: freshId(), shop: SHOP, asset: 'eur', amount, bill: 'T-1', tip_allowed: true, lifetime: null, ...part });
const pays = (who: string, amount: bigint, sale: string | null, tip = 0n) => mall.pay(who, { id: freshId(), shop: SHOP, asset: 'eur', amount, tip, sale, till: null });
const code = (error: unknown): string | undefined => (error as { code?: string }).code;
const refused = async (work: Promise<unknown>): Promise<string | undefined> => work.then(() => undefined, code);

describe('what is scanned', () => {
  it('has a sentence of its own for each way in which it is wrong', () => {
    const dynamic = sealed({ shop: SHOP, asset: 'eur', sale: mall.sell(ME, { id: 's', shop: SHOP, asset: 'eur', amount: 100n, bill: '', tip_allowed: false, lifetime: null }).sale });
    const wrongs = [dynamic.replace('corner', 'cornet'), sealed({ shop: SHOP, asset: 'eur', sale: 's' }, 'evil.example'), foreign(), printed({ shop: 'shop@elsewhere.example', asset: 'eur' }), printed({ shop: 'none@home.example', asset: 'eur' })];
    const sentences = wrongs.map((text) => {
      try {
        readCode(mall, text);
      } catch (error) {
        return [code(error), codeError(error)];
      }
      return [];
    });
    expect(sentences.map(([kind]) => kind)).toEqual(['code_damaged', 'code_forged', 'code_foreign', 'no_link', 'not_found']);
    expect(new Set(sentences.map(([, text]) => text)).size).toBe(wrongs.length);
    for (const [, text] of sentences) expect(text).toBeTruthy();
    expect(codeError(fail('offline'))).toBeNull();
  });

  it('says whether the node vouches for it, and takes the title from the node', async () => {
    const made = await sell('1250');
    expect(await shops.read(made.code ?? '')).toMatchObject({ is: 'merchant', title: 'Corner shop', verified: true, amount: '1250', sale: made.sale, tip_allowed: true, bill: 'T-1' });
    expect(await shops.read(printed({ shop: SHOP, asset: 'eur', till: 'bar' }))).toMatchObject({ is: 'merchant', title: 'Corner shop', verified: false, amount: null, sale: null, till: 'bar' });
    expect(await shops.read('payto://weft/bob@home.example?amount=EUR:12.5&message=lunch')).toMatchObject({ is: 'payto', person: { user: BOB }, amount: '1250', message: 'lunch' });
    expect(await refused(shops.read('payto://weft/bob@home.example?amount=EUR:12.505'))).toBe('code_damaged');
    const far = 'payto://weft/dora@far.example?amount=EUR:3';
    expect(await refused(shops.read(far))).toBe('no_link');
    bank.links = [{ node: 'far.example', assets: ['eur'] }];
    expect(await shops.read(far)).toMatchObject({ is: 'payto', person: { user: 'dora@far.example' }, amount: '300' });
    expect(await shops.read('bob@home.example')).toEqual({ is: 'other' });
  });

  it('is not paid when it was paid, taken back, too old, or the shop is closed', async () => {
    const seen = async (text: string) => {
      const read = await shops.read(text);
      if (read.is !== 'merchant') throw new Error(read.is);
      return hindrance(read, now)?.title ?? null;
    };
    const [first, second, third] = [await sell('100'), await sell('200'), await sell('300')];
    expect(await seen(first.code ?? '')).toBeNull();
    pays(BOB, 100n, first.sale);
    await shops.cancel(SHOP, second.sale);
    expect([await seen(first.code ?? ''), await seen(second.code ?? '')]).toEqual(['Already paid', 'Taken back']);
    const read = await shops.read(third.code ?? '');
    now += 10 * 60_000;
    // Also on a screen that was opened while there was time.
    if (read.is === 'merchant') expect(hindrance(read, now)?.title).toBe('Too late');
    expect(await seen(third.code ?? '')).toBe('Too late');
    await shops.change(SHOP, { open: false });
    expect(await seen(printed({ shop: SHOP, asset: 'eur' }))).toBe('Closed');
  });

  it('reads digits however they are spaced, and shows them in fours', () => {
    expect(grouped('91234567890123456789')).toBe('9123 4567 8901 2345 6789');
    expect(digitsOf(' 9123-4567 8901 2345 6789 ')).toBe('91234567890123456789');
    expect(digitsOf('９１２３４５６７８９０１２３４５６７８９')).toBe('91234567890123456789');
    for (const wrong of ['9123', '81234567890123456789', '912345678901234567890', '9123456789012345678x', '']) expect(digitsOf(wrong), wrong).toBeNull();
  });
});

describe('a shop', () => {
  it('is found by its name, and goes when somebody else signs in', async () => {
    await shops.load();
    expect(shops.named('corner')?.role).toBe('owner');
    expect(shops.named('corn')).toBeUndefined();
    wallet.clear();
    expect(shops.list).toEqual([]);
    expect(shops.loaded).toBe(false);
  });

  it('keeps what was changed when an older answer comes after it', async () => {
    await shops.load();
    let late: (list: typeof shops.list) => void = () => undefined;
    const old = shops.list;
    fake.on('shops', () => new Promise((resolve) => (late = resolve)));
    const asked = shops.load();
    await shops.change(SHOP, { title: 'Corner shop & café' });
    late(old);
    await asked;
    expect(shops.named('corner')?.title).toBe('Corner shop & café');
  });

  it('is gone for a manager who leaves it', async () => {
    mall.found(BOB, 'cafe', DETAILS);
    mall.staff(BOB, 'cafe@home.example', ME, 'manager');
    await shops.load();
    expect(shops.named('cafe')?.role).toBe('manager');
    await shops.staff('cafe@home.example', ME, null);
    expect(shops.named('cafe')).toBeUndefined();
    expect(shops.named('corner')).toBeDefined();
  });

  it('is said of in fields: which one is wrong', async () => {
    const open = async (part: object): Promise<string | null> => shops.open({ name: 'other', ...DETAILS, ...part }).then(() => null, (error: { code: string; field: string | null }) => `${error.code} ${error.field ?? ''}`.trim());
    expect(await open({ name: 'bob' })).toBe('name_taken');
    expect(await open({ merchant_name: 'Bäckerei' })).toBe('invalid_field merchant_name');
    expect(await open({ country: 'de' })).toBe('invalid_field country');
    expect(await open({})).toBeNull();
    expect(shops.named('other')?.title).toBe('Corner shop');
  });

  it('has a name for codes and one for its address by its title', () => {
    expect(asciiName('Müllers Straßencafé')).toBe('Mullers Strassencafe');
    expect(asciiName('街角面包店 Corner')).toBe('Corner');
    expect(asciiName('面包店')).toBe('');
    expect(asciiName('A very long name of a very small shop')).toHaveLength(25);
    expect(addressName('Müllers Blumen & Töpfe')).toBe('mullers-blumen-topfe');
    expect(countryName('DE', 'en')).toBe('Germany');
    expect([countryName('XQ', 'en'), countryName('D', 'en'), countryName('de', 'en')]).toEqual([null, null, null]);
  });
});

describe('a till', () => {
  it('is paid once by a customer’s code, by its text or its digits, up to what was allowed', async () => {
    const shown = mall.show(BOB, 'eur', 2_000n);
    const charge = (given: string, amount: string): Promise<unknown> => shops.charge({ id: freshId(), shop: SHOP, code: given, asset: 'eur', amount, bill: '' });
    expect(await refused(charge(payDigits(shown.id), '2001'))).toBe('code_limit');
    await charge(grouped(payDigits(shown.id)), '1250');
    expect(await refused(charge(payCode(shown.id), '10'))).toBe('code_invalid');
    expect(bank.balance(SHOP, 'eur')).toBe(1_250n);
    const old = mall.show(BOB, 'eur', 2_000n);
    now += 60_000;
    expect(await refused(charge(payCode(old.id), '10'))).toBe('code_invalid');
  });

  it('adds the day up with tips, less what went back, and leaves yesterday out', async () => {
    now -= DAY;
    pays(CAROL, 300n, null);
    now += DAY;
    const made = await sell('1000');
    pays(BOB, 1_000n, made.sale, 150n);
    pays(CAROL, 500n, null);
    await sell('999');
    await shops.refund({ id: freshId(), shop: SHOP, sale: made.sale, amount: '250', pin: PIN });
    const roll = new Roll(SHOP);
    await roll.refresh(0);
    expect(totals(roll.sales, dayStartOf(now))).toEqual([{ asset: EUR, count: 2, taken: 1_650n, tips: 150n, refunded: 250n }]);
    const sale = roll.sales.find((one) => one.sale === made.sale);
    expect(sale && [refundableOf(sale), saleState(sale).text]).toEqual([900n, 'Partly refunded']);
    expect(await refused(shops.refund({ id: freshId(), shop: SHOP, sale: made.sale, amount: '901', pin: PIN }))).toBe('payment_refused');
  });

  it("calls today what is today by the node's clock", async () => {
    pays(CAROL, 300n, null);
    now += DAY;
    setNodeTime(now);
    pays(CAROL, 500n, null);
    const roll = new Roll(SHOP);
    await roll.refresh(0);
    render(TillRoll, { roll, onchoose: () => undefined });
    const today = screen.getByRole('group', { name: 'Today' }).textContent;
    setNodeTime(Date.now());
    expect([today?.includes('5.00'), today?.includes('8.00')]).toEqual([true, false]);
    cleanup();
  });

  it('lets a cashier give back only what was sold the same day', async () => {
    const made = await sell('1000');
    pays(BOB, 1_000n, made.sale);
    const sale = await shops.sale(SHOP, made.sale);
    const tomorrow = now + DAY;
    expect(['cashier', 'manager', 'owner'].map((role) => [mayRefund(sale, role, now), mayRefund(sale, role, tomorrow)])).toEqual([[true, false], [true, true], [true, true]]);
    const open = await sell('5');
    expect(mayRefund(open, 'owner', now)).toBe(false);
  });

  it('reads its roll page by page, and what is new without a line twice', async () => {
    for (let count = 0; count < 300; count += 1) pays(CAROL, 1n, null);
    const roll = new Roll(SHOP);
    await roll.refresh(now + 1);
    expect([roll.sales.length, roll.more]).toEqual([256, true]);
    await roll.next();
    expect([roll.sales.length, roll.more]).toEqual([300, false]);
    const made = await sell('700');
    await roll.refresh(now + 1);
    expect([roll.sales.length, roll.more, roll.sales[0]?.sale]).toEqual([301, false, made.sale]);
    expect(new Set(roll.sales.map(({ sale }) => sale)).size).toBe(301);
    roll.take(await shops.cancel(SHOP, made.sale));
    expect(roll.sales[0]?.state).toBe('cancelled');
    // What could not be asked is said, and what is known stays.
    useEngine(new FakeEngine());
    await roll.refresh(0);
    expect(roll.error).toContain('cannot be reached');
    expect(roll.sales).toHaveLength(301);
  });

  it('rounds a tip to the nearest minor unit', () => {
    expect([tipOf(1_250n, 5), tipOf(1_250n, 15), tipOf(9n, 5), tipOf(10n, 5), tipOf(0n, 15), tipOf(2n ** 63n, 10)]).toEqual([63n, 188n, 0n, 1n, 0n, 922_337_203_685_477_581n]);
  });
});

describe('a sign', () => {
  it('draws each dark module of the code, and only these', async () => {
    const text = printed({ shop: SHOP, asset: 'eur' });
    const { size, path } = await modulesOf(text);
    const { generate } = await import('lean-qr');
    const code = generate(text);
    const drawn = new Set<string>();
    for (const [, x, y, width] of path.matchAll(/M(\d+) (\d+)h(\d+)v1h-(\d+)z/g)) for (let at = 0; at < Number(width); at += 1) drawn.add(`${Number(x) + at} ${y}`);
    let dark = 0;
    for (let y = 0; y < size; y += 1) for (let x = 0; x < size; x += 1) {
      expect(drawn.has(`${x} ${y}`), `${x} ${y}`).toBe(Boolean(code.get(x, y)));
      dark += code.get(x, y) ? 1 : 0;
    }
    expect(drawn.size).toBe(dark);
  });

  it('is a file whose text stays text', async () => {
    const file = signFile(await modulesOf('x'), { title: '<script>alert("1")</script> & Söhne', lead: 'Scan', foot: 'a\u0000b' });
    expect(file).not.toContain('<script>');
    const svg = new DOMParser().parseFromString(file, 'image/svg+xml');
    expect([...svg.querySelectorAll('text')].map((one) => one.textContent)).toEqual(['<script>alert("1")</script> & Söhne', 'Scan', 'ab']);
    expect(escaped("it's")).toBe('it&apos;s');
  });
});

it('tells those who look when something was heard', async () => {
  await wallet.load();
  const round = wallet.round;
  await shops.charge({ id: freshId(), shop: SHOP, code: payCode(mall.show(BOB, 'eur', 500n).id), asset: 'eur', amount: '500', bill: '' });
  await vi.waitFor(() => expect(wallet.round).toBeGreaterThan(round));
});
