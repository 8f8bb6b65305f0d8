import { beforeEach, describe, expect, it } from 'vitest';
import { chat, contact, FakeEngine, group, ME, member, message } from '../../engine/fake';
import { contacts } from '../../state/contacts.svelte';
import { useEngine } from '../../state/engine';
import { groups } from '../../state/groups.svelte';
import { i18n } from '../../state/i18n.svelte';
import { session } from '../../state/session.svelte';
import type { BodyView } from '../../wire/BodyView';
import type { PersonView } from '../../wire/PersonView';
import { listNames, senderName, typingText } from './names';
import { saidLine, systemText } from './system';

const me: PersonView = { user: ME, name: 'Alice' };
const bob: PersonView = { user: 'bob@home.example', name: 'Bob' };
const carol: PersonView = { user: 'carol@garden.example', name: 'Carol' };
const choir = group('g', 'Choir');
const body = (code: string, by: PersonView | null, people: PersonView[] = [], text = ''): Extract<BodyView, { kind: 'system' }> => ({ kind: 'system', code, user: null, by, people, text });
const says = (...line: Parameters<typeof body>): string => systemText(body(...line), choir);

beforeEach(async () => {
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd1', role: 'member', phrase_confirmed: true };
  const fake = new FakeEngine().on('contacts', () => [contact(bob.user, 'Bob')]);
  useEngine(fake);
  groups.clear();
  await contacts.load();
});

describe('lines of a group', () => {
  it('name who did what to whom, and oneself as you', () => {
    expect(says('created', me)).toBe('You created the group');
    expect(says('created', bob)).toBe('Bob created the group');
    expect(says('named', bob, [], 'Quartet')).toBe('Bob named the group “Quartet”');
    expect(says('added', bob, [carol, me])).toBe('Bob added you and Carol');
    expect(says('removed', me, [bob])).toBe('You removed Bob');
    expect(says('left', null, [carol])).toBe('Carol left');
    expect(says('owner', bob, [me])).toBe('Bob made you an owner');
    expect(says('admin', me, [bob])).toBe('You made Bob an admin');
    expect(says('member', bob, [carol])).toBe('Bob made Carol an ordinary member');
    expect(says('removed_me', null)).toBe('You were removed from the group');
    expect(says('removed_me', bob)).toBe('Bob removed you from the group');
    expect(says('not_added', null, [bob])).toBe('Bob could not be added');
    expect(says('not_made', null, [], 'quota')).toBe('The group could not be made. This account keeps as much on the server as it may. What makes it smaller is still taken.');
    expect(says('not_made', null, [], 'a code of a later version')).toBe('The group could not be made.');
    expect(says('left_me', null)).toBe('You left the group');
    expect(says('a code of a later version', null)).toBe('Something changed in this chat');
  });

  it('of what this device could not follow name nobody who did it', () => {
    expect(says('came_meanwhile', null, [carol])).toBe('Came in while this device could not follow: Carol');
    expect(says('went_meanwhile', null, [bob, carol])).toBe('Went while this device could not follow: Bob and Carol');
    expect(says('owner', null, [carol])).toBe('Owner now: Carol');
    expect(says('admin', null, [carol])).toBe('Admin now: Carol');
    expect(says('member', null, [me])).toBe('Ordinary member now: you');
    expect(says('gone', null, [bob])).toBe('Bob is no longer in the group');
    expect(says('gone', null, [bob, carol])).toBe('Bob and Carol are no longer in the group');
  });

  it('say them in Chinese too', () => {
    i18n.start();
    i18n.set('zh');
    expect(says('added', bob, [carol, me])).toBe('Bob邀请你和Carol加入了群聊');
    i18n.set('system');
  });

  it('do not promise that only two can read', () => {
    expect(says('secured', null)).toBe('Encrypted end to end. Only the members can read this.');
    expect(systemText(body('secured', null), chat('bob', 'Bob'))).toContain('Only you two');
  });

  it('count those for whom there is no room', () => {
    expect(listNames(['A', 'B', 'C', 'D', 'E'])).toContain('E');
    expect(listNames(['A', 'B', 'C', 'D', 'E', 'F'])).toMatch(/^A, B, C, D,? and 2 others$/);
  });
});

describe('names in a group', () => {
  const by = (user: string, name: string | null) => message('m', 1, { sender: user, sender_name: name, text: 'hello' });

  it('are what the sender says, or what is left of the address', () => {
    expect(saidLine(by(carol.user, 'Carol'), choir)).toBe('Carol: hello');
    expect(senderName(choir, by(carol.user, null))).toBe('carol');
    expect(senderName(choir, message('m', 1, { mine: true }))).toBe('You');
  });

  it('of somebody who calls themselves like a contact or another member come with the address', () => {
    expect(senderName(choir, by('bob@evil.example', 'Bób'))).toBe('Bób · bob@evil.example');
    expect(senderName(choir, by(bob.user, 'Bob'))).toBe('Bob');
    expect(senderName(choir, by('x@evil.example', 'Dora'))).toBe('Dora');
    expect(senderName(choir, by('x@evil.example', 'you'))).toBe('you · x@evil.example');
    expect(says('left', null, [{ user: 'bob@evil.example', name: 'Bob' }])).toBe('Bob · bob@evil.example left');
    groups.heard({ event: 'group', value: { chat: 'g', name: '', node: 'n', role: 'member', state: 'active', asking: [], unsure: null, members: [member('dora@home.example', 'Dora', { state: null })] } });
    expect(senderName(choir, by('x@evil.example', 'Dora'))).toBe('Dora · x@evil.example');
  });

  it('say who is typing', () => {
    expect(typingText(choir, [bob.user])).toBe('Bob is typing…');
    expect(typingText(choir, [bob.user, carol.user])).toBe('Bob and carol are typing…');
    expect(typingText(chat('bob', 'Bob'), [bob.user])).toBe('typing…');
  });
});

describe('money in one line', () => {
  const EUR = { id: 'e', issuer: 'home.example', code: 'EUR', scale: 2 };
  const line = (body: BodyView, where = choir): string => saidLine(message('m', 1, { sender: bob.user, sender_name: 'Bob', body }), where);

  it('is its kind and what was written beside it; how much is for the node to say', () => {
    expect(line({ kind: 'packet', packet: 'p', greeting: 'Best wishes!', cover: 0, only: null })).toBe('Bob: [Red packet] Best wishes!');
    expect(line({ kind: 'transfer', transfer: 't', asset: EUR, amount: '1234', note: '' })).toBe('Bob: [Transfer]');
    expect(line({ kind: 'request', request: 'r', asset: EUR, parts: [], total: '3000', note: 'Pizza' })).toBe('Bob: [Split a bill] Pizza');
    expect(line({ kind: 'request', request: 'r', asset: EUR, parts: [], total: '3000', note: '' }, chat(bob.user, 'Bob'))).toBe('Bob: [Request money]');
    expect(line({ kind: 'paid', request: 'r', transfer: 't', asset: EUR, amount: '1000' })).toBe('Bob: [Paid]');
  });
});
