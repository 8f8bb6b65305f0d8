import type { AssetView } from '../wire/AssetView';
import { ME, MINUTE } from './fake';
import { EUR, FakeBank, PIN } from './fake-wallet';

const POINTS: AssetView = { id: 'linden', issuer: 'home.example', code: 'LINDEN', scale: 0 };
const FAR: AssetView = { ...EUR, id: 'far', issuer: 'garden.example' };
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const PEOPLE = ['bob@home.example', 'carol@home.example', 'xiaoming@home.example', 'dmitri@home.example', 'yuki@home.example'];

/** A year of money in the small world. `?nomoney`: nothing is issued; `?nopin`; `?frozen`; `?twins`: another server's money has the same code; `?newkey`: the node signs with another key. */
export function fakeMoney(now: number, query: URLSearchParams): FakeBank {
  let at = now - 400 * DAY;
  const bank = new FakeBank(() => at);
  bank.names.set('xiaoming@home.example', '王小明').set('dmitri@home.example', 'Dmitri').set('yuki@home.example', 'Yuki Tanaka').set('mei@garden.example', '李梅');
  bank.links = [{ node: 'garden.example', assets: [EUR.id], rates: [] }];
  if (query.has('newkey')) bank.nodeKey.new_key = '12D3KooWLBvVWfPqRLV6bz1ReHn9zTQJvDdW6tmJ3ms1pQn8vKZo';
  bank.pin = query.has('nopin') ? null : PIN;
  if (query.has('nomoney')) return bank;
  bank.define(EUR, { title: 'Euro', backing: 'One euro each, in the account of the Lindenhof association at the Volksbank; audited every spring.', payment_max: '50000', day_max: '150000' }, 5_000_000n);
  bank.define(POINTS, { title: 'Linden points', backing: 'An hour of work in the garden.' });
  if (query.has('twins')) {
    bank.define(FAR, { title: 'Gartengeld' });
    bank.links = [{ node: 'garden.example', assets: [EUR.id, FAR.id], rates: [] }];
    bank.move({ id: 'far', purpose: 'issue', asset: FAR.id, from: 'node', to: ME, amount: 737n });
  }
  let count = 0;
  const id = (): string => (count += 1).toString(16).padStart(32, '0');
  const move = (purpose: string, from: string, to: string, amount: number, part: object = {}): string => bank.move({ id: id(), purpose, asset: 'eur', from, to, amount: BigInt(amount), ...part }).id;
  for (const user of [ME, ...PEOPLE]) move('issue', 'node', user, 80_000);
  bank.move({ id: id(), purpose: 'issue', asset: 'linden', from: 'node', to: ME, amount: 1_250n });
  for (let step = 0; at < now - 3 * DAY; step += 1) {
    at += (17 + ((step * 29) % 61)) * HOUR;
    const other = PEOPLE[step % PEOPLE.length] ?? ME;
    const amount = 150 + ((step * 7_919) % 4_850);
    // Some lines fail: the account of the other is empty. So it is in life.
    try {
      if (step % 11 === 7) move('issue', 'node', ME, 20_000);
      else if (step % 3 === 0) move(step % 2 ? 'payment' : 'transfer', other, ME, amount);
      else move(step % 4 === 1 ? 'transfer' : 'payment', ME, other, Math.round(amount * 1.1));
    } catch {
      continue;
    }
  }
  at = now - 50 * HOUR;
  const concert = move('payment', 'bob@home.example', ME, 2_400);
  at = now - 30 * HOUR;
  const fund = move('red packet', ME, 'packet a', 1_000, { packet: 'a' });
  move('from a red packet', 'packet a', 'bob@home.example', 612, { packet: fund });
  at = now - 6 * HOUR;
  move('back from a red packet', 'packet a', ME, 388, { packet: fund });
  at = now - 5 * HOUR;
  move('refund', ME, 'bob@home.example', 400, { refunds: concert });
  move('transfer', ME, 'carol@home.example', 1_550, { state: 'returned' });
  move('transfer', 'yuki@home.example', ME, 820, { state: 'expired' });
  at = now - 70 * MINUTE;
  move('transfer', ME, 'xiaoming@home.example', 1_234, { state: 'held', until_ms: now + 22 * HOUR });
  at = now - 12 * MINUTE;
  move('transfer', 'bob@home.example', ME, 2_500, { state: 'held', until_ms: now + 23 * HOUR });
  // The rest of the world is still being made.
  if (query.has('frozen')) queueMicrotask(() => bank.frozen.add(`${ME} eur`));
  if (query.has('unsure')) bank.pending.set('p', { id: 'p', purpose: 'transfer', asset: 'eur', from: ME, to: 'bob@home.example', amount: 990n });
  bank.now = () => Date.now();
  return bank;
}
