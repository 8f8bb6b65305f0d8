import type { BodyView } from '../wire/BodyView';
import type { MessageView } from '../wire/MessageView';
import type { PersonView } from '../wire/PersonView';
import { group, ME, member, message, MINUTE } from './fake';
import type { FakeGroup } from './fake-groups';
import type { FakePackets } from './fake-packets';
import { EUR, type FakeBank } from './fake-wallet';

const [bob, carol, ming, yuki, dmitri] = ['bob', 'carol', 'xiaoming', 'yuki', 'dmitri'].map((name) => `${name}@home.example`) as [string, string, string, string, string];
const KITCHEN = 'g-kitchen';
const HOUR = 60 * MINUTE;

/** Every kind of card, in every state: a group of this node, and what is added to a direct chat. */
export function fakeCards(bank: FakeBank, packets: FakePackets, now: number, after: number): { kitchen: FakeGroup; direct: MessageView[] } {
  let count = 0;
  const person = (user: string): PersonView => bank.person(user);
  const put = (chat: string, sender: string, body: BodyView, minutes: number): MessageView => {
    count += 1;
    const mine = sender === ME;
    const card = message(`card-${count}`, after + count, { sender, mine, sender_name: mine || chat !== KITCHEN ? null : person(sender).name, body, time_ms: now - minutes * MINUTE, delivery: mine ? 'read' : 'none' });
    bank.cards.set(`${chat}/${card.id}`, body);
    return card;
  };
  const id = (): string => `c0ffee${(count * 64 + bank.entries.length).toString(16).padStart(26, '0')}`;

  const gift = (maker: string, greeting: string, cover: number, total: bigint, shares: number, takers: string[], part: object = {}, minutes = 20): MessageView => {
    const packet = packets.give({ id: id(), maker, asset: EUR.id, total, shares, ...part });
    for (const user of takers) packets.open(packet.id, user);
    if (minutes > 24 * 60) packet.until_ms = now - HOUR;
    return put(KITCHEN, maker, { kind: 'packet', packet: packet.id, greeting, cover, only: packet.only ? person(packet.only) : null }, minutes);
  };
  const bill = (sender: string, parts: [string, bigint][], total: bigint, note: string, payers: string[], minutes: number): MessageView[] => {
    const request = id();
    const first = put(KITCHEN, sender, { kind: 'request', request, asset: EUR, parts: parts.map(([user, part]) => ({ person: person(user), amount: String(part), paid: null })), total: String(total), note }, minutes);
    const paid = payers.map((user) => {
      const amount = parts.find(([other]) => other === user)?.[1] ?? 0n;
      const { id: transfer } = bank.move({ id: id(), purpose: 'payment', asset: EUR.id, from: user, to: sender, amount, request });
      return put(KITCHEN, user, { kind: 'paid', request, transfer, asset: EUR, amount: String(amount) }, minutes - 1);
    });
    return [first, ...paid];
  };
  const messages = [
    gift(bob, 'Happy birthday, Carol! And many more of them, in this house and elsewhere', 1, 900n, 3, [carol], { lucky: false }, 26 * 60),
    gift(ming, '', 3, 666n, 1, [], { only: bob, lucky: false }, 300),
    put(KITCHEN, carol, { kind: 'packet', packet: 'nothing', greeting: 'Free money', cover: 9, only: null }, 120),
    ...bill(carol, [[ME, 1_250n], [bob, 1_250n], [ming, 1_250n], [yuki, 1_000n], [dmitri, 250n]], 6_000n, 'Pizza for the whole house', [bob, ming], 60),
    ...bill(ME, [[bob, 1_000n], [carol, 1_000n]], 3_000n, 'Coffee beans', [bob], 40),
    gift(carol, '恭喜发财，大吉大利', 2, 1_000n, 3, [bob, ME, carol]),
    gift(bob, 'Best wishes!', 0, 1_000n, 3, [carol], {}, 5),
    gift(ME, 'For the new year', 1, 2_000n, 4, [], {}, 3),
  ];
  const members = [member(ME, 'Alice', { role: 'owner' }), ...[bob, carol, ming, yuki, dmitri].map((user) => member(user, person(user).name))];
  const last = messages.at(-1) ?? null;
  const kitchen = {
    messages,
    chat: { ...group(KITCHEN, 'Kitchen', { members: members.length, role: 'owner' }), last, active_ms: now - 30_000, read_order: after + count },
    view: { chat: KITCHEN, name: 'Kitchen', node: 'home.example', role: 'owner', state: 'active', members, asking: [], unsure: null },
  };

  const chat = `chat-${carol}`;
  const transfer = (from: string, amount: string, note: string, part: object, minutes: number): MessageView => {
    const moved = bank.move({ id: id(), purpose: 'transfer', asset: EUR.id, from, to: from === ME ? carol : ME, amount: BigInt(amount), time_ms: now - minutes * MINUTE, ...part });
    return put(chat, from, { kind: 'transfer', transfer: moved.id, asset: EUR, amount, note }, minutes);
  };
  const differs = transfer(carol, '100', 'For your help', {}, 50);
  if (differs.body.kind === 'transfer') differs.body.amount = '10000';
  const direct = [
    transfer(carol, '4200', '', {}, 190),
    transfer(ME, '1550', 'Concert ticket', { state: 'returned' }, 180),
    transfer(carol, '820', '', { state: 'expired' }, 170),
    put(chat, carol, { kind: 'transfer', transfer: 'ffff', asset: EUR, amount: '99999', note: 'You won!' }, 60),
    differs,
    put(chat, carol, { kind: 'request', request: 'r-carol', asset: EUR, parts: [{ person: person(ME), amount: '1890', paid: null }], total: '1890', note: 'Your half of the groceries' }, 30),
    put(chat, ME, { kind: 'request', request: 'r-me', asset: EUR, parts: [{ person: person(carol), amount: '500', paid: null }], total: '500', note: '' }, 20),
    transfer(ME, '1234', 'Lunch', { state: 'held', until_ms: now + 22 * HOUR }, 10),
    transfer(carol, '2500', '谢谢你帮忙搬家', { state: 'held', until_ms: now + 23 * HOUR }, 4),
  ];
  return { kitchen, direct };
}
