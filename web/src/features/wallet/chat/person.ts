import { contacts } from '../../../state/contacts.svelte';

/** What somebody is called: by one's own contacts first. */
export function nameOf(user: string, other: string): string {
  const contact = contacts.get(user);
  return contact?.state === 'accepted' ? contact.display_name : other;
}
