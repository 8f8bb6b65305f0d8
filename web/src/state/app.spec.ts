import { expect, it, vi } from 'vitest';
import { FakeEngine, ME } from '../engine/fake';
import { startState } from './app.svelte';
import { session } from './session.svelte';

it('whoever comes back to the page does not wait for the next try to connect', async () => {
  const me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd1', role: 'member', phrase_confirmed: true };
  const fake = new FakeEngine().on('me', () => me).on('chats', () => []).on('contacts', () => []);
  const calls = (name: string): number => fake.calls.filter(({ call }) => call === name).length;
  startState(fake);
  await vi.waitFor(() => expect(session.me).not.toBeNull());
  // On the way in this device says what it is.
  await vi.waitFor(() => expect(calls('name_device')).toBe(1));
  const back = [() => dispatchEvent(new Event('focus')), () => dispatchEvent(new Event('online')), () => document.dispatchEvent(new Event('visibilitychange'))];
  for (const [index, come] of back.entries()) {
    come();
    expect(calls('wake')).toBe(index + 1);
  }
});
