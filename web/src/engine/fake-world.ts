import type { BodyView } from '../wire/BodyView';
import type { DeliveryView } from '../wire/DeliveryView';
import type { MessageView } from '../wire/MessageView';
import type { PeerView } from '../wire/PeerView';
import { chat, contact, fail, FakeEngine, ME, message, MINUTE } from './fake';
import { answerDesk, fakeDesk } from './fake-bank';
import { answerLinks, FakeLinks, said } from './fake-links';
import { answerGroups, fakeGroups } from './fake-groups';
import { answerFees, fakeFees } from './fake-fees';
import { answerGuard, fakeGuard } from './fake-guard';
import { fakeMoney } from './fake-money';
import { answerBills, billCard, fakeBills } from './fake-bills';
import { answerEscrows, fakeEscrows } from './fake-escrow';
import { answerMandates, fakeMandates } from './fake-mandates';
import { fakeCards } from './fake-cards';
import { FakePackets } from './fake-packets';
import { answerShops, fakeStreet } from './fake-tills';
import { answerBooks } from './fake-books';
import { answerWallet } from './fake-wallet';

/** A small world for looking at screens without a node (`vite --mode fake`). `?out` signs out, `?empty` has nobody in it. */
export function fakeEngine(): FakeEngine {
  const query = new URLSearchParams(location.search);
  const now = Date.now();
  const people: [string, string, number][] = [
    ['bob@home.example', 'Bob Okafor', 0],
    ['xiaoming@home.example', '王小明', 3],
    ['mei@garden.example', '李梅', 0],
    ['carol@home.example', 'Carol Lindqvist', 12],
    ['dmitri@home.example', 'Dmitri', 0],
    ['yuki@home.example', 'Yuki Tanaka', 0],
  ];
  const lines = ['Shall we meet at the market on Saturday?', '好啊，几点？', 'Ten? They have the good bread then.', '十点可以。我带咖啡 ☕️', 'Perfect.', 'Here is the place: https://maps.example.org/market/old-town, the north gate', '😄', 'The forecast says rain until noon, so let us meet under the arcade instead. If it clears up we can walk along the river afterwards and have lunch at that place with the yellow chairs.'];
  const states: DeliveryView[] = ['read', 'read', 'delivered', 'sent', 'sending', 'failed'];
  const count = 400;
  const history = new Map(
    people.map(([user], person) => [
      `chat-${user}`,
      Array.from({ length: count }, (_, index) => {
        const mine = (index + person) % 3 === 0;
        const left = count - index;
        return message(`${person}-${index}`, index + 1, {
          mine,
          sender: mine ? ME : user,
          text: lines[(index + person) % lines.length] ?? '',
          time_ms: now - left * 17 * MINUTE - person * 300 * MINUTE,
          delivery: mine ? (left > 8 ? 'read' : (states[8 - left] ?? 'sent')) : 'none',
        });
      }),
    ]),
  );
  const first = history.get('chat-bob@home.example');
  if (first) {
    first[0] = message('sys', 0, { body: { kind: 'system', code: 'secured', user: null, by: null, people: [], text: '' }, time_ms: now - 401 * 17 * MINUTE });
    const last = first.at(-1);
    if (last) first[first.length - 1] = { ...last, reply_to: { id: '0-396', sender: ME, excerpt: lines[0] ?? '' } };
  }
  const nothing = query.has('empty');
  const talks = fakeGroups(now);
  const bank = fakeMoney(now, query);
  const packets = new FakePackets(bank);
  if (!query.has('nomoney')) {
    const cards = fakeCards(bank, packets, now, count);
    talks.unshift(cards.kitchen);
    history.get('chat-carol@home.example')?.push(...cards.direct);
  }
  for (const talk of talks) history.set(talk.chat.chat, talk.messages);
  const chats = nothing ? [] : [...talks.map((talk) => talk.chat), ...people.map(([user, title, unread]) => chat(user, title, { unread, last: history.get(`chat-${user}`)?.at(-1) ?? null, read_order: count - unread, active_ms: history.get(`chat-${user}`)?.at(-1)?.time_ms ?? 0, verified: user.startsWith('bob'), draft: user.startsWith('mei') ? '明天见' : '' }))];
  const contacts = nothing
    ? []
    : [
        ...people.map(([user, name]) => contact(user, name, { verified: user.startsWith('bob') })),
        contact('eve@elsewhere.example', 'Eve Moreau', { state: 'incoming', chat: null, greeting: 'We met at the reading group, I had the green bag.' }),
        contact('frank@home.example', 'Frank', { state: 'outgoing', chat: null }),
      ];
  const me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd1', role: query.has('approver') ? 'member' : 'owner', phrase_confirmed: !query.has('phrase') };
  const words = 'ribbon harvest oxygen velvet captain museum lantern fossil orbit tulip gravity salmon whisper candle bridge tomato mirror pilgrim saddle novel thunder acorn basket window'.split(' ');
  const engine = answerGroups(new FakeEngine(), talks, query);
  let order = count + 1;
  const say = (id: string, body: BodyView): MessageView => {
    const card = message(`new-${order}`, order++, { mine: true, body, time_ms: Date.now(), delivery: 'sent' });
    history.get(id)?.push(card);
    engine.emit({ event: 'messages', value: { chat: id, messages: [card] } });
    return card;
  };
  const mall = fakeStreet(bank, now, query);
  Object.assign(globalThis, { weftMall: mall, weftTell: () => engine.emit({ event: 'wallet' }) });
  const bills = fakeBills(mall, now);
  history.get('chat-mei@garden.example')?.push(...bills.invoices.filter(({ issuer }) => issuer.startsWith('mei')).map((one) => billCard(bills, one)));
  answerEscrows(engine, fakeEscrows(mall, now));
  answerMandates(engine, fakeMandates(mall, now));
  const desk = fakeDesk(bank, now, query);
  const links = new FakeLinks();
  links.guarded = query.get('guarded');
  Object.assign(globalThis, { weftLinks: links });
  links.put('garden.example', said('s1', '40.00', { state: 'done', time_ms: now - 9e8, ours: true }));
  links.put('garden.example', said('s2', '12', { code: 'HOURS', time_ms: now - 4e7, until_ms: now + 6e8 }));
  const hours = (limit: string): string[][] => [['asset', 'HOURS', '1', '0', limit], ['rate', 'EUR', '', 'HOURS', '1', '0.05', String(now + 3e9)]];
  links.offer('garden.example', 'past', 'd1'.repeat(32), '300.00');
  links.offer('garden.example', 'in_force', 'd2'.repeat(32), '500.00', hours('40'));
  links.offer('garden.example', 'asked', 'd3'.repeat(32), '450.00', hours('60'));
  links.statement = [{ code: 'EUR', issuer: 'home.example', opening: '168.40', closing: '128.40', sums: [['settlement', 1, '0.00', '40.00']], lines: [{ time_ms: now - 9e8, kind: 'settlement', id: 's1', more: false, amount: '40.00', owed: '128.40', text: 'RF18 5390 0754 7034' }], whole: true }];
  answerLinks(answerDesk(engine, desk), desk, links);
  answerGuard(engine, fakeGuard(bank, query));
  answerFees(engine, fakeFees(bank));
  answerBooks(engine, bank, query);
  return answerBills(answerShops(answerWallet(engine, bank, { say, packets, page: 40 }), mall), bills)
    .on('node', () => ({ name: 'home.example', title: 'Lindenhof', accent: '#0f766e', signup: 'invite', claimed: true, version: '0.1.0' }))
    .on('me', () => (query.has('out') ? null : me))
    .on('contacts', () => contacts)
    .on('chats', () => chats)
    .on('messages', ({ chat: id, before, limit }) => {
      const all = (history.get(id) ?? []).filter((one) => before === null || one.order < before);
      return { chat: id, messages: all.slice(-limit), more: all.length > limit };
    })
    .on('send_text', ({ chat: id, text }) => {
      const sent = message(`new-${order}`, order++, { mine: true, text, time_ms: Date.now(), delivery: 'sending' });
      engine.emit({ event: 'messages', value: { chat: id, messages: [sent] } });
      return sent;
    })
    .on('open_chat', ({ user }) => chats.find((one) => one.user === user) ?? chat(user, user))
    .on('safety_number', ({ user }) => ({ user, digits: Array.from({ length: 12 }, (_, index) => String(10_000 + ((index * 7_919 + 31_337) % 89_999))), code: 'weft:verify/AAECAwQFBgcICQoLDA0ODw', verified: user.startsWith('bob') }))
    .on('devices', () => [
      { device: 'd1', name: 'Chrome on Linux', this: true, foreign: false, created_ms: now - 9e8, seen_ms: now },
      { device: 'd2', name: 'Safari on iPhone', this: false, foreign: false, created_ms: now - 3e9, seen_ms: now - 9e7 },
    ])
    .on('create_link', () => ({ url: `${location.origin}/#/i/${'omZwZXJzb26kZHVzZXJyYWxpY2VAaG9tZS5leGFtcGxlZG5hbWVlQWxpY2U'.repeat(3)}`, expires_ms: now + 2.5e9, people_max: 100, newcomers_max: 20 }))
    .on('read_link', () =>
      query.has('group')
        ? { user: null, display_name: null, invite_node: null, invite: null, instant: false, state: null, group: { name: 'Garden of the Linden house', node: 'garden.example', chat: null } }
        : { user: 'bob@home.example', display_name: 'Bob Okafor', invite_node: 'home.example', invite: 'abc', instant: true, state: null, group: null },
    )
    .on('peers', () => ({
      policy: query.get('policy') ?? 'open',
      addresses: query.has('empty') ? [] : ['/ip4/203.0.113.7/udp/8441/quic-v1', '/dns/home.example/tcp/8441'],
      peers: query.has('empty') ? [] : peers(now),
    }))
    .on('judge_peer', () => undefined)
    .on('phrase', () => words)
    .on('confirm_phrase', () => undefined)
    .on('mark_read', () => undefined)
    .on('set_draft', () => undefined)
    .on('typing', () => undefined)
    .on('wake', () => undefined)
    .on('sign_in', () => {
      throw fail('wrong_credentials');
    });
}

function peers(now: number): PeerView[] {
  const one = (name: string, part: Partial<PeerView>): PeerView => ({ name, state: 'pinned', key: '12D3KooWJYkqG3vT1nS5mXz7gE2fUoV8hBq4LdP6rCwAe9sNtHiM', new_key: null, connected: false, relayed: false, waiting: 0, limit: null, last_contact_ms: now - 3.6e6, last_error: null, ...part });
  return [
    one('changed.example', { state: 'new_key', new_key: '12D3KooWQm3nR7tYpLs2Vb8xKd5GfHj1ZaWc4EoUi6TqNyXrPvBk', waiting: 3, last_contact_ms: now - 8e7 }),
    one('garden.example', { connected: true, state: 'trusted' }),
    one('12D3KooWMe9hhAL9KC7X8n9s8u1RxsAATC1rCciqtezGhf4TqSjD', { connected: true, relayed: true, limit: 50 }),
    one('mountain.example', { waiting: 41, last_contact_ms: now - 2e8, last_error: 'the connection was refused' }),
    one('spam.example', { state: 'blocked', last_contact_ms: 0 }),
  ];
}
