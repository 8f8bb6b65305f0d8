import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { DeviceView } from '../wire/DeviceView';
import { contact, FakeEngine } from '../engine/fake';
import { contacts } from './contacts.svelte';
import { useEngine } from './engine';
import { notices } from './notices.svelte';

let fake: FakeEngine;
beforeEach(async () => {
  fake = new FakeEngine().on('contacts', () => [contact('z@h', 'zoe'), contact('a@h', 'Ángel'), contact('b@h', 'bob', { state: 'incoming' })]);
  useEngine(fake);
  await contacts.load();
});

describe('contacts', () => {
  it('are sorted as people sort, and by how they stand', () => {
    expect(contacts.accepted.map((one) => one.display_name)).toEqual(['Ángel', 'zoe']);
    expect(contacts.incoming.map((one) => one.user)).toEqual(['b@h']);
  });

  it('follow what the engine says', async () => {
    contacts.heard({ event: 'contacts', value: [contact('b@h', 'bob')] });
    expect(contacts.incoming).toEqual([]);
    contacts.heard({ event: 'contact_removed', value: { user: 'z@h' } });
    expect(contacts.accepted.map((one) => one.user)).toEqual(['a@h', 'b@h']);
  });

  it('keep the answer of an acceptance before its event comes', async () => {
    fake.on('accept_contact', ({ user }) => contact(user, 'bob'));
    await contacts.accept('b@h');
    expect(contacts.get('b@h')?.state).toBe('accepted');
  });

  const HOUR = 3_600_000;
  const device = (created_ms: number): DeviceView => ({ device: 'd1', name: '', this: true, foreign: false, created_ms, seen_ms: created_ms });
  const said = (): string[] => notices.toasts.map((toast) => toast.text);

  it('that came by a link are told of; those that one adds, or that came long ago, are not', async () => {
    fake.on('devices', () => [device(Date.now() - HOUR)]);
    const now = { since_ms: Date.now() };
    contacts.heard({ event: 'contacts', value: [contact('c@h', 'Carol', now), contact('d@h', 'Dora')] });
    contacts.heard({ event: 'contacts', value: [contact('c@h', 'Carol', now)] });
    fake.on('add_contact', () => {
      contacts.heard({ event: 'contacts', value: [contact('e@h', 'Eve', now)] });
      return contact('e@h', 'Eve', now);
    });
    await contacts.add('a link', '');
    await vi.waitFor(() => expect(said()).toEqual(['Carol is your contact now.']));
  });

  it('of before this device was signed in are no news to it, nor is anybody to whom it does not know that of', async () => {
    const asked = (): number => fake.calls.filter(({ call }) => call === 'devices').length;
    const learn = async (user: string, since_ms: number): Promise<void> => {
      contacts.heard({ event: 'contacts', value: [contact(user, user, { since_ms })] });
      await new Promise((resolve) => setTimeout(resolve));
    };
    notices.clear();
    contacts.clear();
    await contacts.load();
    const signedIn = Date.now() - HOUR / 2;
    await learn('offline@h', Date.now());
    fake.on('devices', () => [device(signedIn)]);
    await learn('old@h', signedIn - 1);
    expect(said()).toEqual([]);
    await learn('new@h', signedIn + 1);
    expect(said()).toEqual(['new@h is your contact now.']);
    // Asked until it is known, and then no more.
    expect(asked()).toBe(2);
  });

  it('are not told of once this device is signed out', async () => {
    notices.clear();
    contacts.clear();
    await contacts.load();
    let answer: (devices: DeviceView[]) => void = () => undefined;
    fake.on('devices', () => new Promise((resolve) => (answer = resolve)));
    contacts.heard({ event: 'contacts', value: [contact('c@h', 'Carol', { since_ms: Date.now() })] });
    await vi.waitFor(() => expect(fake.calls.some(({ call }) => call === 'devices')).toBe(true));
    contacts.clear();
    answer([device(0)]);
    await new Promise((resolve) => setTimeout(resolve));
    expect(said()).toEqual([]);
  });
});
