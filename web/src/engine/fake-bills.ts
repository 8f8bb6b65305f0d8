/** Invoices of the small ledger: who sent them, and who has paid them. As strict as the node. */
import type { InvoiceView } from '../wire/InvoiceView';
import type { MessageView } from '../wire/MessageView';
import { fail, ME, message, type FakeEngine } from './fake';
import type { FakeMall } from './fake-shops';
import { ordering } from './fake-wallet';

const PAGE = 256;

export interface FakeInvoice {
  invoice: string;
  issuer: string;
  to: string;
  number: number;
  asset: string;
  lines: [string, string, string, string][];
  note: string;
  time_ms: number;
  due_ms: number;
  cancelled: boolean;
  by: string | null;
  transfer: string | null;
}

export class FakeBills {
  readonly invoices: FakeInvoice[] = [];

  constructor(readonly mall: FakeMall) {}

  #isOf(who: string, issuer: string): boolean {
    const shop = this.mall.shops.find((one) => one.shop === issuer);
    return shop ? shop.owner === who || shop.staff.has(who) : who === issuer;
  }

  send(by: string, wish: { id: string; shop: string | null; user: string; asset: string; lines: FakeInvoice['lines']; total: string; due_ms: number; note: string }): FakeInvoice {
    const issuer = wish.shop ?? by;
    if (!this.#isOf(by, issuer)) throw fail('forbidden');
    const had = this.invoices.find((one) => one.invoice === wish.id && one.issuer === issuer);
    if (had) return had;
    const { bank } = this.mall;
    if (!bank.names.has(wish.user)) throw fail('not_found', 'user');
    if (wish.user === issuer) throw fail('invalid_field', 'to');
    if (wish.due_ms <= bank.now()) throw fail('invalid_field', 'due_ms');
    bank.asset(wish.asset);
    const { total } = sums(wish.lines);
    if (wish.lines.length === 0 || total === 0n) throw fail('invalid_field', 'lines');
    if (total !== BigInt(wish.total)) throw fail('invalid_field', 'total');
    const number = this.invoices.filter((one) => one.issuer === issuer).length + 1;
    const invoice: FakeInvoice = { invoice: wish.id, issuer, to: wish.user, number, asset: wish.asset, lines: wish.lines, note: wish.note, time_ms: bank.now(), due_ms: wish.due_ms, cancelled: false, by: wish.shop ? by : null, transfer: null };
    this.invoices.push(invoice);
    return invoice;
  }

  get(who: string, issuer: string, id: string): FakeInvoice {
    const found = this.invoices.find((one) => one.invoice === id && one.issuer === issuer);
    if (!found || (found.to !== who && !this.#isOf(who, issuer))) throw fail('not_found');
    return found;
  }

  cancel(who: string, issuer: string, id: string): FakeInvoice {
    const found = this.get(who, issuer, id);
    if (!this.#isOf(who, issuer)) throw fail('not_found');
    if (found.transfer !== null) throw fail('already_paid');
    found.cancelled = true;
    return found;
  }

  pay(who: string, wish: { id: string; user: string; invoice: string; asset: string; amount: string }): FakeInvoice {
    const found = this.get(who, wish.user, wish.invoice);
    if (found.transfer === wish.id) return found;
    if (found.to !== who) throw fail('not_found');
    if (found.transfer !== null) throw fail('already_paid');
    if (found.cancelled) throw fail('invoice_cancelled');
    const { total } = sums(found.lines);
    if (found.asset !== wish.asset || BigInt(wish.amount) !== total) throw fail('invalid_field', 'amount');
    found.transfer = this.mall.bank.move({ id: wish.id, purpose: 'payment', asset: wish.asset, from: who, to: wish.user, amount: total }).id;
    return found;
  }

  page(who: string, sent: boolean, shop: string | null, before: string | null): { invoices: InvoiceView[]; more: boolean } {
    if (shop !== null && !this.#isOf(who, shop)) throw fail('forbidden');
    const all = this.invoices.filter((one) => (shop !== null || sent ? one.issuer === (shop ?? who) : one.to === who)).reverse();
    const from = before === null ? 0 : all.findIndex((one) => one.invoice === before) + 1;
    return { invoices: all.slice(from, from + PAGE).map((one) => this.view(who, one)), more: all.length > from + PAGE };
  }

  view(who: string, one: FakeInvoice): InvoiceView {
    const { bank } = this.mall;
    const { net, taxes, total } = sums(one.lines);
    const shop = this.mall.shops.find(({ shop: address }) => address === one.issuer);
    const paid = one.transfer === null ? null : bank.entry(one.transfer);
    return {
      invoice: one.invoice,
      issuer: shop ? { user: shop.shop, name: shop.title } : bank.person(one.issuer),
      shop: shop !== undefined,
      to: bank.person(one.to),
      mine: one.to === who,
      number: one.number,
      reference: 'RF18 5390 0754 7034',
      asset: bank.asset(one.asset),
      lines: one.lines.map((line) => ({ text: line[0], quantity: line[1], unit_price: line[2], tax_rate: line[3] === '' ? null : Number(line[3]), net: String(netOf(line)) })),
      net: String(net),
      taxes: taxes.map(([rate, tax]) => ({ rate, tax: String(tax) })),
      total: String(total),
      note: one.note,
      time_ms: one.time_ms,
      due_ms: one.due_ms,
      state: paid ? 'paid' : one.cancelled ? 'cancelled' : one.due_ms <= bank.now() ? 'overdue' : 'open',
      by: one.by !== null && this.#isOf(who, one.issuer) ? bank.person(one.by) : null,
      transfer: one.transfer,
      paid_ms: paid?.time_ms ?? null,
      refunded: paid ? String(bank.refunded(paid.id)) : '0',
      at_rate: false,
      rejection: null,
    };
  }
}

function netOf([, quantity, price]: FakeInvoice['lines'][number]): bigint {
  return (BigInt(quantity) * BigInt(price) + 500n) / 1_000n;
}

function sums(lines: FakeInvoice['lines']): { net: bigint; taxes: [number, bigint][]; total: bigint } {
  const net = lines.reduce((sum, line) => sum + netOf(line), 0n);
  const rates = [...new Set(lines.map((line) => line[3]).filter(Boolean))].map(Number).sort((one, other) => one - other);
  const taxes = rates.map((rate): [number, bigint] => [rate, (lines.filter((line) => line[3] !== '' && Number(line[3]) === rate).reduce((sum, line) => sum + netOf(line), 0n) * BigInt(rate) + 500n) / 1_000n]);
  return { net, taxes, total: taxes.reduce((sum, [, tax]) => sum + tax, net) };
}

/** Answers the calls about invoices, for {@link ME}. */
export function answerBills(engine: FakeEngine, bills: FakeBills): FakeEngine {
  const { bank } = bills.mall;
  const order = ordering(engine, bank);
  const changed = (): void => engine.emit({ event: 'wallet' });
  return engine
    .on('invoices', ({ sent, shop, invoice }) => bills.page(ME, sent, shop, invoice))
    .on('invoice', ({ user, invoice }) => bills.view(ME, bills.get(ME, user, invoice)))
    .on('send_invoice', ({ id, shop, user, asset, lines, total, due_ms, note }) => {
      const made = bills.send(ME, { id, shop, user, asset, lines, total, due_ms, note });
      changed();
      return bills.view(ME, made);
    })
    .on('tell_invoice', ({ user, invoice }) => bills.view(ME, bills.get(ME, user, invoice)))
    .on('cancel_invoice', ({ user, invoice }) => {
      const gone = bills.cancel(ME, user, invoice);
      changed();
      return bills.view(ME, gone);
    })
    .on('pay_invoice', ({ id, user, invoice, asset, amount, pin }) => {
      order({ id, purpose: 'payment', asset, from: ME, to: user, amount: BigInt(amount) }, pin, () => bank.entry(bills.pay(ME, { id, user, invoice, asset, amount }).transfer ?? ''));
      return bills.view(ME, bills.get(ME, user, invoice));
    })
    .on('refund_invoice', ({ id, user, invoice, amount, pin }) => {
      const found = bills.get(ME, user, invoice);
      if (found.transfer === null) throw fail('not_found');
      order({ id, purpose: 'refund', asset: found.asset, from: user, to: found.to, amount: BigInt(amount), refunds: found.transfer }, pin);
      return bills.view(ME, found);
    });
}

/** Its card in the chat with its issuer. */
export function billCard(bills: FakeBills, one: FakeInvoice): MessageView {
  const { issuer, invoice, number, asset, total, due_ms } = bills.view(ME, one);
  return message(`card-${invoice}`, 9_000, { sender: issuer.user, mine: false, time_ms: one.time_ms, body: { kind: 'invoice', issuer: issuer.user, invoice, number, asset, total, due_ms } });
}

/** Some to look at: one to pay, one that is late, one that is paid, and those of the own bakery. */
export function fakeBills(mall: FakeMall, now: number): FakeBills {
  const bills = new FakeBills(mall);
  const { bank } = mall;
  if (mall.shops.length === 0) return bills;
  const [day, real] = [86_400_000, bank.now];
  const asset = bank.assets()[0]?.asset.id ?? '';
  let count = 0;
  const send = (by: string, shop: string | null, user: string, lines: FakeInvoice['lines'], total: string, days: number): FakeInvoice => bills.send(by, { id: (count += 1).toString(16).padStart(32, 'b'), shop, user, asset, lines, total, due_ms: bank.now() + days * day, note: 'Thank you!' });
  bank.now = () => now - 20 * day;
  const [bob, carol] = ['bob@home.example', 'carol@home.example'];
  send(bob, null, ME, [['Two hours of garden work', '2000', '1800', '']], '3600', 14);
  bank.now = () => now - 2 * day;
  const paid = send(bob, 'cafe@home.example', ME, [['Coffee beans, 1 kg', '1500', '1600', '70']], '2568', 14);
  bills.pay(ME, { id: 'invoice-paid', user: paid.issuer, invoice: paid.invoice, asset, amount: '2568' });
  send('mei@garden.example', null, ME, [['Tulip bulbs', '40000', '45', ''], ['Planting, two hours', '2000', '1500', '70']], '5010', 12);
  send(carol, null, ME, [['Bicycle repair', '1000', '2450', '190'], ['Brake pads', '2000', '640', '190']], '4439', 14);
  send(ME, 'bakery@home.example', carol, [['Wedding cake', '1000', '8900', '70'], ['Delivery', '1000', '500', '']], '10023', 10);
  bank.now = real;
  return bills;
}
