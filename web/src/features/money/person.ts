import { contacts } from '../../state/contacts.svelte';
import { groups } from '../../state/groups.svelte';

/** What somebody is called: by one's own contacts first. */
export function nameOf(user: string, other: string): string {
  const contact = contacts.get(user);
  return contact?.state === 'accepted' ? contact.display_name : other;
}

/** Whether their key was compared in person. */
export function isVerified(user: string, chat: string): boolean {
  return contacts.get(user)?.verified ?? groups.member(chat, user)?.verified ?? false;
}
