import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, fail, group, ME, member } from '../engine/fake';
import type { GroupView } from '../wire/GroupView';
import { chats } from './chats.svelte';
import { useEngine } from './engine';
import { groups, isLastOwner } from './groups.svelte';

const me = member(ME, 'Alice', { role: 'owner' });
const bob = member('bob@home.example', 'Bob');
const view = (part: Partial<GroupView> = {}): GroupView => ({ chat: 'g', name: 'Choir', node: 'home.example', role: 'owner', state: 'active', members: [me, bob], asking: [], unsure: null, ...part });

let fake: FakeEngine;
beforeEach(() => {
  groups.clear();
  chats.clear();
  fake = new FakeEngine().on('group', () => view());
  useEngine(fake);
});
const asked = (): number => fake.calls.filter(({ call }) => call === 'group').length;

describe('groups', () => {
  it('are asked for once, however many pictures show them, and follow what the engine says', async () => {
    for (let picture = 0; picture < 3; picture += 1) groups.want('g');
    await vi.waitFor(() => expect(groups.get('g')?.name).toBe('Choir'));
    expect(asked()).toBe(1);
    groups.heard({ event: 'group', value: view({ name: 'Quartet' }) });
    groups.want('g');
    expect(groups.get('g')?.name).toBe('Quartet');
    expect(asked()).toBe(1);
  });

  it('that could not be had are asked for again', async () => {
    let broken = true;
    fake.on('group', () => {
      if (broken) throw fail('engine_restarted');
      return view();
    });
    groups.want('g');
    await new Promise((resolve) => setTimeout(resolve));
    expect(groups.get('g')).toBeUndefined();
    broken = false;
    groups.want('g');
    await vi.waitFor(() => expect(groups.get('g')).toBeDefined());
  });

  it('show the others first', async () => {
    await groups.load('g');
    expect(groups.faces('g').map((one) => one.name)).toEqual(['Bob', 'Alice']);
  });

  it('that one makes are among the chats before any event comes', async () => {
    fake.on('create_group', ({ name }) => group('new', name, { state: 'making' }));
    expect(await groups.create('Walkers', ['bob@home.example'])).toBe('new');
    expect(chats.get('new')?.title).toBe('Walkers');
    expect(fake.calls.at(-1)).toEqual({ call: 'create_group', name: 'Walkers', members: ['bob@home.example'] });
  });

  it('are not left without an owner, unless nobody stays', () => {
    expect(isLastOwner(view())).toBe(true);
    expect(isLastOwner(view({ members: [me, { ...bob, role: 'owner' }] }))).toBe(false);
    expect(isLastOwner(view({ members: [me] }))).toBe(false);
    expect(isLastOwner(view({ members: [{ ...me, role: 'admin' }, { ...bob, role: 'owner' }] }))).toBe(false);
  });
});
