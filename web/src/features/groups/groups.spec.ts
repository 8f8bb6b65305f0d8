import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { contact, fail, FakeEngine, group, ME, member } from '../../engine/fake';
import { router } from '../../router.svelte';
import { contacts } from '../../state/contacts.svelte';
import { useEngine } from '../../state/engine';
import { groups } from '../../state/groups.svelte';
import type { GroupView } from '../../wire/GroupView';
import type { UnsureView } from '../../wire/UnsureView';
import AddMembers from './AddMembers.svelte';
import GroupLink from './GroupLink.svelte';
import GroupPage from './GroupPage.svelte';
import NewGroup from './NewGroup.svelte';
import Unsure from './Unsure.svelte';

// There is no canvas here to draw a code on.
vi.mock('lean-qr', () => ({ generate: () => ({ toCanvas: () => undefined }) }));

const me = member(ME, 'Alice', { role: 'owner' });
const bob = member('bob@home.example', 'Bob');
const dora = member('dora@garden.example', 'Dora', { state: null });
const view = (part: Partial<GroupView> = {}): GroupView => ({ chat: 'g', name: 'Choir', node: 'home.example', role: 'owner', state: 'active', members: [me, bob, dora], asking: [], unsure: null, ...part });

let fake: FakeEngine;
beforeEach(async () => {
  // No browser here: dialogs are drawn where they stand.
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  groups.clear();
  fake = new FakeEngine()
    .on('contacts', () => [contact('bob@home.example', 'Bob'), contact('carol@home.example', 'Carol'), contact('jose@home.example', 'José')])
    .on('create_group', ({ name }) => group('new', name));
  useEngine(fake);
  await contacts.load();
});
afterEach(cleanup);

const press = (name: string): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name }));
const called = (name: string) => fake.calls.filter(({ call }) => call === name);

describe('a new group', () => {
  it('takes those who are chosen, found by any letters, and opens', async () => {
    render(NewGroup, { user: 'bob@home.example' });
    expect(screen.getByText('1 chosen')).toBeDefined();
    await fireEvent.input(screen.getByLabelText('Search contacts'), { target: { value: 'jose' } });
    expect(screen.queryByRole('checkbox', { name: /Carol/ })).toBeNull();
    await fireEvent.keyDown(screen.getByLabelText('Search contacts'), { key: 'Enter' });
    expect(screen.getByText('2 chosen')).toBeDefined();
    await press('Take Bob out');
    await fireEvent.input(screen.getByLabelText('Group name'), { target: { value: ' Walkers ' } });
    await press('Create group');
    await waitFor(() => expect(router.path).toBe('/chats/new'));
    expect(called('create_group')).toEqual([{ call: 'create_group', name: 'Walkers', members: ['jose@home.example'] }]);
  });

  it('says what to do when somebody cannot be brought in, and keeps the choice', async () => {
    fake.on('create_group', () => {
      throw fail('no_consent');
    });
    render(NewGroup, { user: 'bob@home.example' });
    await press('Create group');
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('not your contact any more. Leave them out'));
    expect(screen.getByText('1 chosen')).toBeDefined();
  });
});

it('who came in before another could not be added is not chosen any more', async () => {
  fake.on('add_members', () => {
    throw fail('too_many');
  });
  const { rerender } = render(AddMembers, { group: view({ members: [me] }) });
  for (const name of [/Bob/, /Carol/]) await fireEvent.click(screen.getByRole('checkbox', { name }));
  await press('Done');
  await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('a group has 500 people at most'));
  await rerender({ group: view({ members: [me, bob] }) });
  expect(screen.getByText('1 chosen')).toBeDefined();
  expect(screen.queryByRole('button', { name: 'Take Bob out' })).toBeNull();
});

describe('the page of a group', () => {
  const open = (part: Partial<GroupView> = {}): void => {
    groups.heard({ event: 'group', value: view(part) });
    render(GroupPage, { group: view(part), chat: group('g', 'Choir', { role: part.role ?? 'owner' }) });
  };

  it('gives owners and admins their tools, and others none', () => {
    open();
    expect(screen.queryByText('Add members')).not.toBeNull();
    cleanup();
    open({ role: 'member', asking: [{ user: 'eve@x.example', name: 'Eve', asked_ms: 0 }] });
    expect(screen.queryByText('Add members')).toBeNull();
    expect(screen.queryByRole('article', { name: 'Request from Eve' })).toBeNull();
    cleanup();
    open({ state: 'removed' });
    expect(screen.queryByText('Add members')).toBeNull();
    expect(screen.queryByText('Leave group')).toBeNull();
  });

  it('tells the last owner to name another instead of letting them try', async () => {
    open();
    await press('Leave group');
    expect(screen.getByText(/make them an owner/)).toBeDefined();
    expect(screen.getAllByRole('button', { name: 'Leave group', hidden: true })).toHaveLength(1);
  });

  it('does not count who is in it for somebody who is out', () => {
    open({ state: 'left', members: [] });
    expect(screen.queryByText(/You left this group/)).not.toBeNull();
    for (const said of [/member/, 'Members', 'Nothing found']) expect(screen.queryByText(said)).toBeNull();
  });

  it('forgets why one could not leave once the owners are others', async () => {
    const two = view({ members: [me, { ...bob, role: 'owner' }] });
    fake.on('leave_group', () => {
      throw fail('last_owner');
    });
    const { rerender } = render(GroupPage, { group: two, chat: group('g', 'Choir') });
    await press('Leave group');
    await fireEvent.click(screen.getAllByRole('button', { name: 'Leave group', hidden: true }).at(-1) as HTMLElement);
    await waitFor(() => expect(screen.getByRole('alert', { hidden: true }).textContent).toContain('You are the only owner'));
    await rerender({ group: view({ members: [me, { ...dora, role: 'owner' }] }) });
    expect(screen.queryByRole('alert', { hidden: true })).toBeNull();
  });

  it('changes nothing while this device is out of step', () => {
    open({ unsure: { print: '0', people: [] } });
    expect(screen.queryByText('Add members')).toBeNull();
    expect(screen.queryByText('Leave group')).not.toBeNull();
  });

  it('marks who is on the way out, and counts them no more as an owner', async () => {
    open({ members: [me, { ...bob, role: 'owner', leaving: true }, dora] });
    expect(screen.queryByText('Leaving')).not.toBeNull();
    await press('Leave group');
    expect(screen.getByText(/make them an owner/)).toBeDefined();
  });

  it('offers roles to an owner only, and to remove whom one may remove', async () => {
    fake.on('set_role', () => undefined);
    open();
    await fireEvent.click(screen.getByText('Dora'));
    expect(screen.queryByText('Add contact')).not.toBeNull();
    await fireEvent.click(screen.getByText('Make admin'));
    expect(called('set_role')).toEqual([{ call: 'set_role', chat: 'g', user: 'dora@garden.example', role: 'admin' }]);
    cleanup();
    open({ role: 'member', members: [me, { ...bob, removable: false }] });
    await fireEvent.click(screen.getByText('Bob'));
    expect(screen.queryByText('View contact')).not.toBeNull();
    for (const offer of ['Make owner', 'Make admin', 'Remove from group']) expect(screen.queryByText(offer)).toBeNull();
  });

  it('lets in who asks', async () => {
    fake.on('answer_join', () => undefined);
    open({ asking: [{ user: 'eve@x.example', name: 'Eve', asked_ms: 0 }] });
    await press('Let in');
    expect(called('answer_join')).toEqual([{ call: 'answer_join', chat: 'g', user: 'eve@x.example', accept: true }]);
  });
});

it('a group’s link says who decides, changes with the switch, and is gone once all are ended', async () => {
  fake.on('group_link', ({ approval, fresh }) => ({ url: `link ${approval} ${fresh}`, expires_ms: 1, approval })).on('end_group_links', () => undefined);
  render(GroupLink, { group: view(), title: 'Choir' });
  const field = (): string | undefined => screen.queryByRole<HTMLInputElement>('textbox', { name: 'Group link and code' })?.value;
  await waitFor(() => expect(field()).toBe('link true false'));
  await fireEvent.click(screen.getByRole('checkbox'));
  await waitFor(() => expect(field()).toBe('link false false'));
  expect(screen.getByText(/is let in by this device/)).toBeDefined();
  await press('Make a new link');
  await waitFor(() => expect(field()).toBe('link false true'));
  await press('End all links');
  await fireEvent.click(screen.getAllByRole('button', { name: 'End all links', hidden: true }).at(-1) as HTMLElement);
  await waitFor(() => expect(screen.queryByText('All links of this group have ended.')).not.toBeNull());
  expect(field()).toBeUndefined();
});

it('a group’s link that was ended elsewhere meanwhile is not shown to whoever comes back to the page', async () => {
  let made = 1;
  let refused = true;
  fake.on('group_link', ({ fresh }) => {
    if (refused) throw fail('offline');
    return { url: `link ${made} ${fresh}`, expires_ms: 1, approval: true };
  });
  render(GroupLink, { group: view(), title: 'Choir' });
  // To try again makes no new one: that would end all others.
  await waitFor(() => expect(screen.queryByRole('button', { name: 'Try again' })).not.toBeNull());
  refused = false;
  await press('Try again');
  const field = (): string | undefined => screen.queryByRole<HTMLInputElement>('textbox', { name: 'Group link and code' })?.value;
  await waitFor(() => expect(field()).toBe('link 1 false'));
  made = 2;
  await fireEvent(document, new Event('visibilitychange'));
  await waitFor(() => expect(field()).toBe('link 2 false'));
});

describe('a group that this device does not enter by itself', () => {
  const one = (name: string, part: Partial<UnsureView> = {}): UnsureView => ({ user: `${name}@x.example`, name, role: 'member', new: false, risen: false, changed: false, ...part });
  const open = (part: Partial<GroupView>): void => {
    groups.heard({ event: 'group', value: view(part) });
    render(Unsure, { chat: group('g', 'Choir', { unsure: true }) });
  };

  it('shows everybody who is new or other than before, and is entered only when the person says so', async () => {
    fake.on('enter_anew', () => undefined);
    const strangers = Array.from({ length: 9 }, (_, index) => one(`new${index}`, { new: true }));
    const known = Array.from({ length: 9 }, (_, index) => one(`old${index}`));
    open({ unsure: { print: '1', people: [...strangers, one('eve', { changed: true }), one('mallory', { risen: true, role: 'admin' }), ...known] } });
    for (const { name } of strangers) expect(screen.queryByText(name)).not.toBeNull();
    expect(screen.getAllByText('New')).toHaveLength(9);
    for (const said of ['Other key', 'Admin', 'old4', '4 others']) expect(screen.queryByText(said)).not.toBeNull();
    expect(screen.queryByText('old5')).toBeNull();
    expect(called('enter_anew')).toEqual([]);
    await press('Enter');
    await press('Enter');
    expect(called('enter_anew')).toEqual([{ call: 'enter_anew', chat: 'g', print: '1' }]);
    // Others by then: it is asked again.
    groups.heard({ event: 'group', value: view({ unsure: { print: '2', people: [one('trent', { new: true })] } }) });
    await waitFor(() => expect(screen.queryByText('trent')).not.toBeNull());
    await press('Enter');
    expect(called('enter_anew')[1]).toMatchObject({ print: '2' });
  });

  it('can only be left where what the node says cannot be verified', () => {
    open({ unsure: { print: '0', people: [] } });
    expect(screen.queryByRole('button', { name: 'Enter' })).toBeNull();
    expect(screen.queryByRole('button', { name: 'Leave group' })).not.toBeNull();
    cleanup();
    open({ state: 'removed', unsure: { print: '3', people: [one('bob')] } });
    expect(screen.queryByRole('button', { name: 'Enter' })).not.toBeNull();
    expect(screen.queryByRole('button', { name: 'Leave group' })).toBeNull();
  });
});
