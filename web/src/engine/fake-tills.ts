/** Answers the calls about shops, for {@link ME}, and makes a street of them to look at. */
import type { ShopView } from '../wire/ShopView';
import { fail, ME, MINUTE, type FakeEngine } from './fake';
import { payCode, payDigits, printed, readCode } from './fake-codes';
import { FakeMall, type FakeCode } from './fake-shops';
import { EUR, ordering, type FakeBank } from './fake-wallet';

const HOUR = 60 * MINUTE;

export function answerShops(engine: FakeEngine, mall: FakeMall): FakeEngine {
  const { bank } = mall;
  const order = ordering(engine, bank);
  const changed = (): void => engine.emit({ event: 'wallet' });
  const shown = new Map<string, FakeCode>();
  return engine
    .on('shops', () => mall.mine())
    .on('open_shop', ({ name, title, merchant_name, city, country, mcc }) => mall.shopView(ME, mall.found(ME, name, { title, merchant_name, city, country, mcc })))
    .on('change_shop', ({ shop, title, merchant_name, city, country, mcc, open }) => mall.shopView(ME, mall.change(ME, shop, { title, merchant_name, city, country, mcc, open })))
    .on('set_staff', ({ shop, user, role }) => {
      mall.invite(ME, shop, user, role);
      // Whoever let themselves go has nothing more to see there.
      return mall.mine().find((one) => one.shop === shop) as ShopView;
    })
    .on('join_shop', ({ shop, accept }) => {
      mall.join(ME, shop, accept);
      return mall.mine().find((one) => one.shop === shop) as ShopView;
    })
    .on('sell', ({ id, shop, asset, amount, bill, tip_allowed, lifetime }) => mall.saleView(mall.sell(ME, { id, shop, asset, amount: BigInt(amount), bill, tip_allowed, lifetime })))
    .on('sale', ({ shop, sale }) => mall.saleView(mall.sale(ME, shop, sale)))
    .on('cancel_sale', ({ shop, sale }) => mall.saleView(mall.cancel(ME, shop, sale)))
    .on('sales', ({ shop, sale }) => mall.page(ME, shop, sale))
    .on('shop_sign', ({ shop, asset, till }) => {
      mall.role(ME, mall.shop(shop));
      return { shop, title: mall.shop(shop).title, till, asset: bank.asset(asset), code: printed({ shop, asset, till }) };
    })
    .on('read_code', ({ text }) => readCode(mall, text))
    .on('pay_shop', ({ id, shop, asset, amount, tip, sale, till, pin }) => {
      const wish = { id, shop, asset, amount: BigInt(amount), tip: BigInt(tip), sale, till };
      const entry = order({ id, purpose: 'payment', asset, from: ME, to: shop, amount: wish.amount + wish.tip }, pin, () => mall.pay(ME, wish));
      return bank.view(entry);
    })
    .on('show_code', ({ asset, cap, pin }) => {
      bank.unlock(pin);
      const code = mall.show(ME, asset, BigInt(cap));
      shown.set(code.id, code);
      return { id: code.id, text: payCode(code.id), digits: payDigits(code.id), asset: bank.asset(asset), cap, until_ms: code.until_ms };
    })
    .on('code_state', ({ id }) => {
      const code = shown.get(id);
      if (!code) throw fail('not_found');
      const state = code.transfer !== null ? 'used' : code.until_ms <= bank.now() ? 'expired' : 'open';
      return { state, transfer: code.transfer === null ? null : bank.view(bank.entry(code.transfer)) };
    })
    .on('charge', ({ id, shop, code, asset, amount, bill }) => {
      if (mall.lost.some((one) => one.state === 'unsure')) throw fail('charge_unsure');
      mall.lost.length = 0;
      const sale = mall.charge(ME, { id, shop, code, asset, amount: BigInt(amount), bill });
      changed();
      if (bank.silent) {
        mall.lost.push({ id, asset, amount, time_ms: bank.now(), state: 'unsure' });
        throw fail('charge_unsure');
      }
      return mall.saleView(sale);
    })
    .on('charges', () => [...mall.lost])
    .on('charge_again', ({ id }) => {
      const far = mall.sales.find((one) => one.sale === id && one.kind === 'code' && mall.state(one) === 'open');
      if (far) return mall.saleView(mall.answered(far));
      const at = mall.lost.findIndex((one) => one.id === id && one.state === 'unsure');
      if (at < 0) throw fail('not_found');
      const sale = mall.sales.find((one) => one.sale === id);
      if (!sale || bank.silent) throw fail('charge_unsure');
      mall.lost.splice(at, 1);
      return mall.saleView(sale);
    })
    .on('refund_sale', ({ id, shop, sale, amount, pin }) => {
      order({ id, purpose: 'refund', asset: 'eur', from: shop, to: ME, amount: BigInt(amount) }, pin, () => mall.refund(ME, { id, shop, sale, amount: BigInt(amount) }));
      return mall.saleView(mall.sale(ME, shop, sale));
    })
    .on('pay_out', ({ id, shop, asset, amount, pin }) => {
      order({ id, purpose: 'payment', asset, from: shop, to: ME, amount: BigInt(amount) }, pin, () => mall.payOut(ME, { id, shop, asset, amount: BigInt(amount) }));
      return undefined;
    });
}

const [bob, carol, ming, yuki, dmitri] = ['bob', 'carol', 'xiaoming', 'yuki', 'dmitri'].map((name) => `${name}@home.example`) as [string, string, string, string, string];
const BAKERY = 'bakery@home.example';

/** One's own bakery with a day of sales, a café where one helps out, and a bookshop that asks one to. `?noshops`: none; `?lost`: a charge without an answer; `?far`: what other servers say to one; `?stopped`. */
export function fakeStreet(bank: FakeBank, now: number, query: URLSearchParams): FakeMall {
  const mall = new FakeMall(bank);
  if (query.has('noshops') || query.has('nomoney')) return mall;
  const real = bank.now;
  let at = now - 30 * HOUR;
  bank.now = () => at;
  mall.found(ME, 'bakery', { title: '街角面包店 Corner Bakery', merchant_name: 'Corner Bakery', city: 'Berlin', country: 'DE', mcc: 5462 });
  mall.staff(ME, BAKERY, bob, 'manager');
  mall.staff(ME, BAKERY, yuki, 'cashier');
  mall.found(bob, 'cafe', { title: 'Café Linde', merchant_name: 'Cafe Linde', city: 'Berlin', country: 'DE', mcc: 5814 });
  mall.staff(bob, 'cafe@home.example', ME, 'cashier');
  mall.found(carol, 'books', { title: 'Lindenbuch', merchant_name: 'Lindenbuch', city: 'Berlin', country: 'DE', mcc: 5942 });
  mall.invite(carol, 'books@home.example', ME, 'manager');
  mall.invite(ME, BAKERY, carol, 'cashier');
  if (query.has('lost')) mall.lost.push({ id: 'f'.repeat(32), asset: EUR.id, amount: '1180', time_ms: now - MINUTE, state: 'unsure' });
  let count = 0;
  const id = (): string => `5a1e${(count += 1).toString(16).padStart(28, '0')}`;
  const sell = (amount: bigint, bill: string, tip = true): string => mall.sell(ME, { id: id(), shop: BAKERY, asset: EUR.id, amount, bill, tip_allowed: tip, lifetime: null }).sale;
  const pay = (who: string, amount: bigint, sale: string | null = null, tip = 0n): void => void mall.pay(who, { id: id(), shop: BAKERY, asset: EUR.id, amount, tip, sale, till: null });
  pay(dmitri, 420n);
  pay(carol, 1_260n, sell(1_260n, 'T-101'), 140n);
  const minutes = [170, 141, 128, 96, 64, 41, 22, 4];
  const step = (): void => void (at = now - (minutes.shift() ?? 1) * MINUTE);
  step();
  pay(ming, 350n);
  step();
  const cakes = sell(2_480n, 'T-102');
  pay(yuki, 2_480n, cakes, 248n);
  step();
  sell(890n, 'T-103');
  step();
  mall.charge(ME, { id: id(), shop: BAKERY, code: payCode(mall.show(bob, EUR.id, 3_000n).id), asset: EUR.id, amount: 1_575n, bill: '' });
  step();
  mall.cancel(ME, BAKERY, sell(500n, 'T-104'));
  step();
  mall.refund(ME, { id: id(), shop: BAKERY, sale: cakes, amount: 480n });
  pay(carol, 640n, sell(640n, 'T-105'));
  step();
  mall.pay(ME, { id: id(), shop: 'cafe@home.example', asset: EUR.id, amount: 780n, tip: 0n, sale: null, till: null });
  step();
  pay(dmitri, 275n);
  bank.now = real;
  mall.far = query.get('far');
  mall.shop(BAKERY).stopped = query.has('stopped');
  return mall;
}
