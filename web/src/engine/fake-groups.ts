import type { BodyView } from '../wire/BodyView';
import type { ChatView } from '../wire/ChatView';
import type { GroupView } from '../wire/GroupView';
import type { MemberView } from '../wire/MemberView';
import type { MessageView } from '../wire/MessageView';
import type { UnsureView } from '../wire/UnsureView';
import { fail, group, ME, member, message, MINUTE, type FakeEngine } from './fake';

/** The groups of the small world: what is said there, and who is in them. */
export interface FakeGroup {
  chat: ChatView;
  view: GroupView;
  messages: MessageView[];
}

const me = member(ME, 'Alice', { role: 'owner' });
const bob = member('bob@home.example', 'Bob Okafor', { role: 'admin', verified: true });
const ming = member('xiaoming@home.example', '王小明');
const carol = member('carol@home.example', 'Carol Lindqvist');
const mei = member('mei@garden.example', '李梅');
const otto = member('otto@12D3KooWMe9hhAL9KC7X8n9s8u1RxsAATC1rCciqtezGhf4TqSjD', 'Otto', { state: null });
const otherBob = member('bob@elsewhere.example', 'Bob Okafor', { state: null });
const wolf = member('wolfeschlegelsteinhausenberger@garden-of-the-linden-house.example', 'Hubert Blaine Wolfeschlegelsteinhausenbergerdorff', { state: null });
const LONG = 'Planning of the summer festival of the';
const NAMES = 'Anselm Birgit Chidi Dunya Emeka Farida Goran Hanneke Ines Jonas Kemal Lucía Mirela Nnamdi Olena Priya Quentin Ravi Solveig Tariq Ulrike Valeria Wanjiru Ximena Yusuf Zofia'.split(' ');

function line(code: string, part: Partial<Extract<BodyView, { kind: 'system' }>> = {}): { body: BodyView } {
  return { body: { kind: 'system', code, user: null, by: null, people: [], text: '', ...part } };
}

function said(by: MemberView, text: string, part: Partial<MessageView> = {}): Partial<MessageView> {
  return { sender: by.user, mine: by.me, sender_name: by.me ? null : by.name, body: { kind: 'text', text }, ...part };
}

function made(id: string, title: string, name: string, members: MemberView[], lines: Partial<MessageView>[], now: number, minutes: number, part: Partial<GroupView> = {}): FakeGroup {
  const messages = lines.map((one, index) => message(`${id}-${index}`, index + 1, { time_ms: now - (minutes + (lines.length - index) * 2) * MINUTE, ...one }));
  const view: GroupView = { chat: id, name, node: 'home.example', role: members.find((one) => one.me)?.role ?? 'member', state: 'active', members, asking: [], unsure: null, ...part };
  const last = messages.at(-1) ?? null;
  const chat = { ...group(id, title, { members: members.length, role: view.role, state: view.state, asking: view.asking.length, unsure: view.unsure !== null }), last, active_ms: last?.time_ms ?? now, read_order: messages.length };
  return { chat, view, messages };
}

export function fakeGroups(now: number): FakeGroup[] {
  const market = made('g-market', 'Market on Saturday', 'Market on Saturday', [me, bob, carol, ming, mei, otto, otherBob], [
    line('created', { by: me }),
    line('secured'),
    line('named', { by: me, text: 'Market on Saturday' }),
    line('added', { by: me, people: [bob, carol, ming] }),
    line('admin', { by: me, people: [bob] }),
    said(bob, 'Shall we meet at the north gate?'),
    said(bob, 'Ten o’clock, they have the good bread then.'),
    said(ming, '十点可以。我带咖啡 ☕️'),
    line('not_added', { people: [otto] }),
    said(mei, '我也来！'),
    said(me, 'Perfect. I bring the plum cake 🥧', { delivery: 'read' }),
    said(carol, 'Then I only bring hunger.', { reply_to: { id: 'g-market-10', sender: ME, excerpt: 'Perfect. I bring the plum cake 🥧' } }),
    said(otherBob, 'And who is that other Bob?'),
    said(me, 'See you all there', { delivery: 'delivered', waits_for: '12D3KooWMe9hhAL9KC7X8n9s8u1RxsAATC1rCciqtezGhf4TqSjD' }),
    said(otto, 'I may be late: the tram does not run before nine, and the bridge is closed on Saturdays.'),
  ], now, 1, { asking: [{ user: 'eve@elsewhere.example', name: 'Eve Moreau', asked_ms: now - 40 * MINUTE }, { user: 'frank@home.example', name: 'Frank', asked_ms: now - 9 * MINUTE }] });
  const pair = made('g-pair', 'Bob Okafor, 王小明', '', [{ ...me, role: 'member' }, { ...bob, role: 'owner' }, ming].map((one) => ({ ...one, removable: false })), [line('created', { by: bob }), line('added', { by: bob, people: [me, ming] })], now, 90, { state: 'making' });
  const big = made('g-big', 'Lindenhof, all floors', 'Lindenhof, all floors', [{ ...bob, role: 'owner' as const }, { ...me, role: 'member' }, ...NAMES.map((name) => member(`${name.toLowerCase()}@home.example`, name, { state: null }))].map((one) => ({ ...one, removable: false })), [said(bob, 'The cellar is dry again.')], now, 300, { node: '12D3KooWMe9hhAL9KC7X8n9s8u1RxsAATC1rCciqtezGhf4TqSjD' });
  const gone = made('g-gone', 'Choir', 'Choir', [carol, mei], [said(carol, 'Next rehearsal on Tuesday'), line('left', { people: [mei] }), line('removed_me')], now, 2_000, { state: 'removed' });
  const left = made('g-left', 'Walkers', 'Walkers', [], [said(carol, 'The path along the river is open again.'), line('left_me')], now, 2_100, { state: 'left' });
  const refused = made('g-refused', 'Quartet', 'Quartet', [], [line('created', { by: me }), line('not_made', { text: 'quota' })], now, 2_200, { state: 'not_made' });
  const strange = (one: MemberView, part: Partial<UnsureView>): UnsureView => ({ user: one.user, name: one.name, role: one.role, new: false, risen: false, changed: false, ...part });
  const unsure = made('g-unsure', LONG, LONG, [me, bob, ming, { ...carol, leaving: true }, wolf], [said(bob, 'Who has the key of the shed?'), said(wolf, 'I do.'), line('resynced'), line('came_meanwhile', { people: [otto] })], now, 30, {
    node: otto.user.split('@')[1] ?? '',
    unsure: { print: '1', people: [strange(otto, { new: true, role: 'admin', risen: true }), strange(wolf, { changed: true }), strange(me, {}), ...[bob, ming, carol, mei, ...NAMES.slice(0, 9).map((name) => member(`${name.toLowerCase()}@home.example`, name))].map((one) => strange(one, {}))] },
  });
  const unproven = made('g-unproven', 'Cellar', 'Cellar', [me, bob], [said(bob, 'The pump is back.')], now, 40, { unsure: { print: '0', people: [] } });
  const long = made('g-long', LONG, LONG, [me, bob, { ...carol, leaving: true }, { ...wolf, role: 'admin', verified: true }, otto], [line('added', { by: me, people: [wolf] }), said(wolf, 'Good morning everybody in the whole house')], now, 50, { node: otto.user.split('@')[1] ?? '', asking: [{ user: wolf.user, name: wolf.name, asked_ms: now - 40 * MINUTE }] });
  return [market, pair, big, gone, left, refused, unsure, unproven, long];
}

/** Answers what is asked about groups, and keeps what was changed as long as the page is open. */
export function answerGroups(engine: FakeEngine, all: FakeGroup[], query: URLSearchParams): FakeEngine {
  const find = (id: string): FakeGroup => {
    const found = all.find((one) => one.chat.chat === id);
    if (!found) throw fail('unknown_chat');
    return found;
  };
  const change = (id: string, part: Partial<GroupView>): void => {
    const one = find(id);
    one.view = { ...one.view, ...part };
    const { name, members, role, state, asking, unsure } = one.view;
    one.chat = { ...one.chat, title: name || one.chat.title, group: { members: members.length, role, state, asking: asking.length, unsure: unsure !== null } };
    engine.emit({ event: 'group', value: one.view });
    engine.emit({ event: 'chat', value: one.chat });
  };
  return engine
    .on('group', ({ chat }) => find(chat).view)
    .on('create_group', ({ name, members }) => {
      if (query.has('refuse')) throw fail('node_unreachable');
      const people = [me, ...members.map((user) => member(user, user.split('@')[0] ?? user))];
      const one = made('g-new', name || people.slice(1).map((person) => person.name).join(', '), name, people, [line('created', { by: me })], Date.now(), 0, { state: 'making' });
      all.push(one);
      setTimeout(() => change('g-new', { state: 'active' }), 4_000);
      return one.chat;
    })
    .on('add_members', ({ chat, users }) => change(chat, { members: [...find(chat).view.members, ...users.map((user) => member(user, user.split('@')[0] ?? user))] }) as undefined)
    .on('remove_members', ({ chat, users }) => change(chat, { members: find(chat).view.members.filter((one) => !users.includes(one.user)) }) as undefined)
    .on('set_role', ({ chat, user, role }) => change(chat, { members: find(chat).view.members.map((one) => (one.user === user ? { ...one, role } : one)) }) as undefined)
    .on('rename_group', ({ chat, name }) => change(chat, { name }) as undefined)
    .on('leave_group', ({ chat }) => change(chat, { state: 'left' }) as undefined)
    .on('answer_join', ({ chat, user }) => change(chat, { asking: find(chat).view.asking.filter((one) => one.user !== user) }) as undefined)
    .on('group_link', ({ approval }) => ({ url: `${location.origin}/#/i/${'oWFnpWFyUAAAAAAAAAAAAAAAAAAAAABhaGxob21lLmV4YW1wbGVhbm'.repeat(3)}`, expires_ms: Date.now() + 2.5e9, approval }))
    .on('enter_anew', ({ chat }) => change(chat, { unsure: null }) as undefined)
    .on('end_group_links', () => undefined)
    .on('join_group', () => ({ state: 'asked', chat: null }));
}
