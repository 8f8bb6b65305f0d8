import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { FakeEngine, group } from '../../engine/fake';
import { router } from '../../router.svelte';
import { chats } from '../../state/chats.svelte';
import { useEngine } from '../../state/engine';
import GroupOpened from './GroupOpened.svelte';

const preview = (chat: string | null) => ({ name: 'Choir', node: 'garden.example', chat });
let inside: string | null;
let fake: FakeEngine;
beforeEach(() => {
  inside = null;
  chats.clear();
  router.go('/contacts/add');
  fake = new FakeEngine()
    .on('join_group', () => ({ state: 'asked', chat: null }))
    .on('read_link', () => ({ user: null, display_name: null, invite_node: null, invite: null, instant: false, state: null, group: preview(inside) }));
  useEngine(fake);
});
afterEach(cleanup);

it('leads on when one is let in again, and not when it is another group that one comes into', async () => {
  chats.keep(group('choir', 'Choir', { state: 'left' }));
  render(GroupOpened, { props: { group: preview(null), target: 'link' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Ask to join' }));
  await waitFor(() => expect(screen.queryByText(/You have asked to join/)).not.toBeNull());

  const looks = (): number => fake.calls.filter(({ call }) => call === 'read_link').length;
  const before = looks();
  chats.keep(group('other', 'Walkers'));
  await waitFor(() => expect(looks()).toBe(before + 1));
  expect(router.path).toBe('/contacts/add');

  // Its chat was there all the time: their number is the same.
  inside = 'choir';
  chats.keep(group('choir', 'Choir', { state: 'active' }));
  await waitFor(() => expect(router.path).toBe('/chats/choir'));
});
