import { beforeEach, describe, expect, it } from 'vitest';
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

  it('that came by a link are told of; those that one adds, or that a new device learns of, are not', async () => {
    const now = { since_ms: Date.now() };
    contacts.heard({ event: 'contacts', value: [contact('c@h', 'Carol', now), contact('d@h', 'Dora')] });
    contacts.heard({ event: 'contacts', value: [contact('c@h', 'Carol', now)] });
    fake.on('add_contact', () => {
      contacts.heard({ event: 'contacts', value: [contact('e@h', 'Eve', now)] });
      return contact('e@h', 'Eve', now);
    });
    await contacts.add('a link', '');
    expect(notices.toasts.map((toast) => toast.text)).toEqual(['Carol is your contact now.']);
  });
});
