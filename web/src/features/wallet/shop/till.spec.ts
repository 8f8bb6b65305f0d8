import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, ME } from '../../../engine/fake';
import { payCode, payDigits, printed } from '../../../engine/fake-codes';
import { FakeMall } from '../../../engine/fake-shops';
import { answerShops } from '../../../engine/fake-tills';
import { answerWallet, EUR, FakeBank, PIN } from '../../../engine/fake-wallet';
import { router } from '../../../router.svelte';
import { useEngine } from '../../../state/engine';
import { scanned } from '../../../state/scanned.svelte';
import { session } from '../../../state/session.svelte';
import { shops } from '../../../state/shops.svelte';
import { wallet } from '../../../state/wallet.svelte';
import WalletHome from '../WalletHome.svelte';
import { bell } from './bell.svelte';
import ScanDesk from './ScanDesk.svelte';
import ShopPages from './ShopPages.svelte';
import ShowCode from './ShowCode.svelte';
import TakeCode from './TakeCode.svelte';

const [BOB, CAROL, SHOP] = ['bob@home.example', 'carol@home.example', 'corner@home.example'];
const DETAILS = { title: 'Corner shop', merchant_name: 'Corner shop', city: 'Berlin', country: 'DE', mcc: 5411 };
let bank: FakeBank;
let mall: FakeMall;
let fake: FakeEngine;
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  // happy-dom draws nothing.
  const paper = { createImageData: (width: number, height: number) => ({ data: new Uint8ClampedArray(width * height * 4) }), putImageData: vi.fn() };
  HTMLCanvasElement.prototype.getContext = vi.fn(() => paper) as never;
  vi.stubGlobal('IntersectionObserver', class {
    observe(): void {}
    disconnect(): void {}
  });
  bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  mall = new FakeMall(bank);
  fake = answerShops(answerWallet(new FakeEngine(), bank), mall);
  fake.listen((event) => wallet.heard(event));
  useEngine(fake);
  for (const user of [ME, BOB, CAROL]) bank.move({ id: `i${user}`, purpose: 'issue', asset: 'eur', from: 'node', to: user, amount: 10_000n });
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'owner', phrase_confirmed: true };
  wallet.clear();
  await wallet.load();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  session.me = null;
  scanned.text = null;
});
const press = (name: string | RegExp): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));
const fill = (label: string | RegExp, value: string): Promise<boolean> => fireEvent.input(screen.getByLabelText(label), { target: { value } });
const asked = (name: string): Record<string, unknown>[] => fake.calls.filter(({ call }) => call === name);
const there = (text: string | RegExp): Promise<void> => waitFor(() => void expect(screen.getAllByText(text).length).toBeGreaterThan(0));
const unlock = (pin = PIN): Promise<boolean> => fill('Payment PIN', pin);

describe('whoever pays', () => {
  beforeEach(() => void mall.found(BOB, 'corner', DETAILS));
  const sale = (part: object = {}) => mall.saleView(mall.sell(BOB, { id: 's1', shop: SHOP, asset: 'eur', amount: 1_250n, bill: 'T-1', tip_allowed: true, lifetime: null, ...part }));

  it('sees whose code it is, adds a tip, and keeps a receipt', async () => {
    render(ScanDesk, { first: sale().code, onclose: vi.fn() });
    await there('Corner shop');
    await there('This bill comes from the shop with this address, as home.example says, and was not changed on the way.');
    await fireEvent.click(screen.getByLabelText(/^10 %/));
    await press(/^Pay 13\.75/);
    await unlock();
    await there('Paid to Corner shop');
    expect(asked('pay_shop')).toMatchObject([{ amount: '1250', tip: '125', sale: 's1', shop: SHOP }]);
    expect(bank.balance(SHOP, 'eur')).toBe(1_375n);
    expect(screen.getByText(String(asked('pay_shop')[0]?.['id']))).toBeTruthy();
  });

  it('types a tip of their own, which is no tip while it is none that can be paid', async () => {
    render(ScanDesk, { first: sale().code, onclose: vi.fn() });
    await there('Corner shop');
    await fireEvent.click(screen.getByLabelText('Other'));
    await fill('Your tip', '0.333');
    expect((screen.getByRole('button', { name: /^Pay/, hidden: true }) as HTMLButtonElement).disabled).toBe(true);
    await fill('Your tip', '0.33');
    await press(/^Pay 12\.83/);
    await unlock();
    await there('Paid to Corner shop');
    expect(asked('pay_shop')).toMatchObject([{ tip: '33' }]);
  });

  it('cannot go over what one payment may be, with the tip', async () => {
    bank.define(EUR, { payment_max: '1300' });
    await wallet.load();
    render(ScanDesk, { first: sale().code, onclose: vi.fn() });
    await there('Corner shop');
    const off = (): boolean => screen.getByRole<HTMLButtonElement>('button', { name: /^Pay/, hidden: true }).disabled;
    expect(off()).toBe(false);
    await fireEvent.click(screen.getByLabelText(/^10 %/));
    await there(/^One payment may be 13\.00.EUR at most/);
    expect(off()).toBe(true);
  });

  it('is told that a printed code is vouched for by nobody, and types the amount', async () => {
    render(ScanDesk, { first: printed({ shop: SHOP, asset: 'eur', till: 'bar' }), onclose: vi.fn() });
    await there(/Check the name/);
    await fill('Amount', '200');
    await there(/more than the 100\.00/);
    await fill('Amount', '7.80');
    await press(/^Pay 7\.80/);
    await unlock('000000');
    await there('This is not your payment PIN.');
    expect(bank.balance(SHOP, 'eur')).toBe(0n);
    await unlock();
    await there('Paid to Corner shop');
    expect(mall.sales).toMatchObject([{ kind: 'static', till: 'bar', amount: 780n }]);
  });

  it('loses nothing when somebody was quicker', async () => {
    render(ScanDesk, { first: sale().code, onclose: vi.fn() });
    await there('Corner shop');
    await press(/^Pay 12\.50/);
    mall.pay(CAROL, { id: 'quick', shop: SHOP, asset: 'eur', amount: 1_250n, tip: 0n, sale: 's1', till: null });
    await unlock();
    await there('Somebody has paid this bill. Nothing is taken from you.');
    expect(bank.balance(ME, 'eur')).toBe(10_000n);
  });

  it('pays once where the answer was lost, and the sheet is over', async () => {
    const onclose = vi.fn();
    render(ScanDesk, { first: sale().code, onclose });
    await there('Corner shop');
    await press(/^Pay 12\.50/);
    bank.silent = true;
    await unlock();
    await waitFor(() => expect(onclose).toHaveBeenCalled());
    expect(bank.balance(SHOP, 'eur')).toBe(1_250n);
  });

  it('is led on by what is no code of money, and told what is wrong with one that is', async () => {
    const onclose = vi.fn();
    render(ScanDesk, { onclose });
    await fill('Or paste the code', 'https://home.example/#/i/abc');
    await press('Continue');
    await waitFor(() => expect(router.path).toBe('/contacts/add/https%3A%2F%2Fhome.example%2F%23%2Fi%2Fabc'));
    expect(onclose).toHaveBeenCalled();
    cleanup();
    render(ScanDesk, { onclose });
    await fill('Or paste the code', `${printed({ shop: SHOP, asset: 'eur' }).slice(0, -4)}FFFF`);
    await press('Continue');
    await there(/misread or is incomplete/);
    await press('Scan again');
    expect(screen.getByLabelText('Or paste the code')).toBeTruthy();
  });

  it.each(['hello', '123456789012345678', SHOP])('is told at the field that a word is no code: %s', async (text) => {
    const [onclose, path] = [vi.fn(), router.path];
    render(ScanDesk, { onclose });
    await fill('Or paste the code', text);
    await press('Continue');
    await there(/This is no code/);
    expect(screen.getByLabelText<HTMLInputElement>('Or paste the code').value).toBe(text);
    expect([router.path, onclose.mock.calls]).toEqual([path, []]);
    await fill('Or paste the code', `${text}x`);
    expect(screen.queryByText(/This is no code/)).toBeNull();
    cleanup();
    // Before the camera there is no field.
    render(ScanDesk, { first: text, onclose });
    await there('This code cannot be read here.');
  });

  it('takes a proposal over as a transfer, filled in', async () => {
    render(ScanDesk, { first: 'payto://weft/bob@home.example?amount=EUR:12.5&message=lunch', onclose: vi.fn() });
    await waitFor(() => expect((screen.getByLabelText('Amount') as HTMLInputElement).value).toBe('12.50'));
    expect(screen.getByDisplayValue('lunch')).toBeTruthy();
  });

  it('opens what was scanned among the contacts', async () => {
    scanned.text = printed({ shop: SHOP, asset: 'eur' });
    render(WalletHome);
    await there('Corner shop');
    expect(scanned.text).toBeNull();
  });

  it('shows a code with its digits, and hears who took how much', async () => {
    render(ShowCode, { onclose: vi.fn() });
    await fill('The shop may take up to', '20');
    await press('Continue');
    await unlock();
    await there(/Valid for 1:00/);
    const [code] = mall.codes;
    if (!code) throw new Error('no code');
    expect(screen.getByText('The same as digits').parentElement?.querySelector('[data-digits]')?.textContent?.replaceAll(' ', '')).toBe(payDigits(code.id));
    mall.charge(BOB, { id: 'c', shop: SHOP, code: payCode(code.id), asset: 'eur', amount: 1_180n, bill: '' });
    fake.emit({ event: 'wallet' });
    await there('Paid to Corner shop');
    expect(screen.getByText('11.80 EUR')).toBeTruthy();
  });

  it('has to type the PIN again for another code, when the first is over', async () => {
    render(ShowCode, { onclose: vi.fn() });
    await fill('The shop may take up to', '20');
    await press('Continue');
    await unlock();
    await there(/Valid for/);
    for (const code of mall.codes) code.until_ms = 0;
    fake.emit({ event: 'wallet' });
    await there('No longer valid');
    await press('New code');
    // What was typed still stands, and may be more now.
    expect(screen.getByLabelText<HTMLInputElement>('The shop may take up to').value).toBe('20');
    await fill('The shop may take up to', '25');
    await press('Continue');
    await unlock();
    await there(/Valid for/);
    expect(mall.codes.map(({ cap }) => cap)).toEqual([2_000n, 2_500n]);
  });

  it('finds the shop by its title in the history', async () => {
    mall.pay(ME, { id: 'h', shop: SHOP, asset: 'eur', amount: 500n, tip: 0n, sale: null, till: null });
    render(WalletHome);
    await there('Corner shop');
    await press(/Corner shop/);
    await there('corner@home.example');
    expect(screen.queryByRole('button', { name: 'Refund', hidden: true })).toBeNull();
  });
});

describe('a till', () => {
  beforeEach(() => void mall.found(ME, 'corner', DETAILS));
  const till = async (): Promise<void> => {
    render(ShopPages, { name: 'corner', page: undefined });
    await there('Till roll');
  };

  it('charges by a code, and rings when it is paid', async () => {
    const ring = vi.spyOn(bell, 'ring');
    await till();
    await fill('Amount', '12.50');
    await fill('Bill (optional)', 'T-1');
    await press('Charge');
    await there('Waiting for the customer');
    const [sale] = mall.sales;
    if (!sale) throw new Error('no sale');
    expect(ring).not.toHaveBeenCalled();
    mall.pay(BOB, { id: 'p', shop: SHOP, asset: 'eur', amount: 1_250n, tip: 0n, sale: sale.sale, till: null });
    fake.emit({ event: 'wallet' });
    await there('Paid by Bob Okafor');
    expect(ring).toHaveBeenCalledTimes(1);
    await press('Next customer');
    expect((screen.getByLabelText('Amount') as HTMLInputElement).value).toBe('');
    // The next one is another sale.
    await fill('Amount', '3');
    await press('Charge');
    await there('Waiting for the customer');
    expect(mall.sales).toHaveLength(2);
  });

  it('takes a sale back, unless it was paid the moment before', async () => {
    await till();
    await fill('Amount', '5');
    await press('Charge');
    await there('Waiting for the customer');
    mall.pay(BOB, { id: 'p', shop: SHOP, asset: 'eur', amount: 500n, tip: 0n, sale: mall.sales[0]?.sale ?? '', till: null });
    await press('Cancel the sale');
    await there('Paid by Bob Okafor');
    await press('Next customer');
    await fill('Amount', '6');
    await press('Charge');
    await there('Waiting for the customer');
    await press('Cancel the sale');
    await there('Nobody has paid it, and nobody can any more.');
    expect(mall.sales.map((sale) => mall.state(sale))).toEqual(['paid', 'cancelled']);
  });

  it('takes money by the digits that a customer reads out, and says which are none', async () => {
    const shown = mall.show(BOB, 'eur', 1_000n);
    await till();
    await fill('Amount', '10.01');
    await press("Scan the customer's code");
    await fill('Or type its 20 digits', '9123');
    await press(/^Take 10\.01/);
    await there(/no customer's code/);
    await fill('Or type its 20 digits', payDigits(shown.id));
    await press(/^Take 10\.01/);
    await there(/more than the customer's code allows/);
    await fireEvent.click(screen.getAllByRole('button', { name: 'Close', hidden: true }).at(-1) as HTMLElement);
    await fill('Amount', '10');
    await press("Scan the customer's code");
    await fill('Or type its 20 digits', payDigits(shown.id));
    await press(/^Take 10\.00/);
    await there('Paid by Bob Okafor');
    expect(bank.balance(SHOP, 'eur')).toBe(1_000n);
  });

  it('is where a code goes that was scanned in the wallet', async () => {
    const shown = mall.show(BOB, 'eur', 1_000n);
    render(ScanDesk, { first: payCode(shown.id), onclose: vi.fn() });
    await waitFor(() => expect(router.path).toBe('/me/shops/corner'));
    cleanup();
    await till();
    await there(/A customer's code was scanned/);
    await fill('Amount', '4');
    await press("Scan the customer's code");
    await there('Paid by Bob Okafor');
    expect(bank.balance(SHOP, 'eur')).toBe(400n);
  });

  it('gives a part back, and pays the rest out to its owner', async () => {
    mall.pay(BOB, { id: 'p', shop: SHOP, asset: 'eur', amount: 1_000n, tip: 0n, sale: null, till: null });
    await till();
    await there('10.00 EUR');
    await press(/Bob Okafor/);
    await press('Refund');
    await fill('How much goes back', '10.01');
    await there(/more than the 10\.00/);
    await fill('How much goes back', '4');
    await press('Continue');
    await unlock();
    await there('Partly refunded');
    expect([bank.balance(SHOP, 'eur'), bank.balance(BOB, 'eur')]).toEqual([600n, 9_400n]);
    await waitFor(() => expect(screen.getByText('Balance and pay-out').parentElement?.parentElement?.textContent).toContain('6.00'));
    await press(/Balance and pay-out/);
    expect((screen.getAllByLabelText('Amount').at(-1) as HTMLInputElement).value).toBe('6.00');
    await press('Continue');
    await unlock();
    await there('Nothing there yet');
    expect([bank.balance(SHOP, 'eur'), bank.balance(ME, 'eur')]).toEqual([0n, 10_600n]);
  });

  it('shows whoever is a cashier neither its money nor what only managers do', async () => {
    mall.found(BOB, 'cafe', { ...DETAILS, title: 'Café' });
    mall.staff(BOB, 'cafe@home.example', ME, 'cashier');
    render(ShopPages, { name: 'cafe', page: undefined });
    await there('Till roll');
    expect(screen.queryByText('Balance and pay-out')).toBeNull();
    cleanup();
    render(ShopPages, { name: 'cafe', page: 'about' });
    await there('Staff');
    for (const what of ['Change details', 'Add somebody', 'Close the shop']) expect(screen.queryByText(what), what).toBeNull();
  });

  it('says that there is no such shop, and what went wrong', async () => {
    render(ShopPages, { name: 'nowhere', page: undefined });
    await there('No such shop');
    cleanup();
    shops.clear();
    fake.on('shops', () => {
      throw fail('offline');
    });
    render(ShopPages, { name: undefined, page: undefined });
    await there(/cannot be reached/);
  });
});

describe('somebody who is asked to work in a shop', () => {
  it('sees who asks, and works there once they have agreed', async () => {
    mall.found(BOB, 'corner', DETAILS);
    mall.invite(BOB, 'corner@home.example', ME, 'cashier');
    render(ShopPages, { name: undefined, page: undefined });
    await there('Invitations');
    expect(screen.getByText(/Bob Okafor \(bob@home.example\) asks you to work here: Cashier/)).toBeTruthy();
    // There is no till before.
    expect(shops.list).toEqual([]);
    await press('Agree');
    await waitFor(() => expect(shops.list).toHaveLength(1));
    expect(shops.invitations).toEqual([]);
  });

  it('is rid of it when they decline', async () => {
    mall.found(BOB, 'corner', DETAILS);
    mall.invite(BOB, 'corner@home.example', ME, 'manager');
    render(ShopPages, { name: undefined, page: undefined });
    await there('Invitations');
    await press('Decline');
    await waitFor(() => expect(mall.shops[0]?.staff.size).toBe(0));
    await waitFor(() => expect(screen.queryByText('Invitations')).toBeNull());
  });
});

describe('a charge whose answer was lost', () => {
  it('outlives the sheet, keeps another one from being made, and is found', async () => {
    mall.found(ME, 'corner', DETAILS);
    mall.lost.push({ id: 'a'.repeat(32), asset: EUR.id, amount: '350', time_ms: bank.now(), state: 'unsure' });
    render(ShopPages, { name: 'corner', page: undefined });
    await there('No answer to a charge');
    await press('Ask again now');
    await there(/An earlier charge here has no answer yet/);
    mall.lost[0] = { id: 'a'.repeat(32), asset: EUR.id, amount: '350', time_ms: bank.now(), state: 'failed' };
    fake.emit({ event: 'wallet' });
    await there(/was not taken/);
    expect(screen.queryByText('Ask again now')).toBeNull();
  });

  it('is asked about in the sheet that has made it', async () => {
    mall.found(ME, 'corner', DETAILS);
    const code = mall.show(BOB, EUR.id, 5_000n);
    bank.silent = true;
    const taken = vi.fn();
    render(TakeCode, { shop: 'corner@home.example', amount: 350n, asset: EUR, bill: '', first: payCode(code.id), ondone: taken, onclose: () => undefined });
    await there('No answer to a charge');
    expect(screen.queryByRole('button', { name: 'Scan again', hidden: true })).toBeNull();
    bank.silent = false;
    await press('Ask again now');
    await waitFor(() => expect(taken).toHaveBeenCalledOnce());
    expect(mall.sales).toHaveLength(1);
  });

  it('is no open shop where the node\'s owner has closed it', async () => {
    mall.found(ME, 'corner', DETAILS);
    mall.shop('corner@home.example').stopped = true;
    render(ShopPages, { name: 'corner', page: 'about' });
    await there(/Whoever runs this server has closed the shop/);
    expect(screen.queryByText('Open again')).toBeNull();
  });
});

describe('a new shop', () => {
  it('says at each field what is wrong, of itself and by the node', async () => {
    render(ShopPages, { name: undefined, page: undefined });
    await there('No shop yet');
    await press('Open a shop');
    const submit = async (): Promise<void> => void (await fireEvent.submit(document.querySelector('form') as HTMLFormElement));
    await fill('Name of the shop', '面包店');
    await fill('Country', 'XQ');
    await submit();
    for (const text of ['1 to 25 plain Latin letters, digits or signs.', '1 to 15 plain Latin letters.', 'The two letters of a country.']) expect(screen.getByText(text), text).toBeTruthy();
    expect(asked('open_shop')).toEqual([]);
    await fill('Name in codes (no accents)', 'Mianbaodian');
    await fill('City', 'Berlin');
    await fill('Country', 'de');
    await fill('Address', 'bob');
    await submit();
    await waitFor(() => expect(screen.getByLabelText('Address').getAttribute('aria-invalid')).toBe('true'));
    await fill('Address', 'mianbao');
    await submit();
    await waitFor(() => expect(router.path).toBe('/me/shops/mianbao'));
    expect(mall.shops).toMatchObject([{ shop: 'mianbao@home.example', title: '面包店', merchant_name: 'Mianbaodian', country: 'DE' }]);
  });

  it('takes somebody in by their name, and lets them go', async () => {
    mall.found(ME, 'corner', DETAILS);
    render(ShopPages, { name: 'corner', page: 'about' });
    await there('Staff');
    await press('Add somebody');
    await fill('Member', 'carol');
    await fireEvent.click(screen.getByLabelText('Manager'));
    await press('Invite');
    await waitFor(() => expect([...(mall.shops[0]?.staff ?? [])]).toEqual([[CAROL, 'manager']]));
    await there('Invited');
    expect(() => mall.role(CAROL, mall.shop('corner@home.example'))).toThrow();
    await press(/Carol Lindqvist/);
    await press('Remove from staff');
    await waitFor(() => expect(mall.shops[0]?.staff.size).toBe(0));
  });
});
