import type { ChatView } from '../../wire/ChatView';
import type { ContactView } from '../../wire/ContactView';

/** So many of them stand in the list of chats; the rest is on the page of the contacts. */
export const GREETED_MAX = 8;

/** The chats and, from the time on that they are contacts, the people whom nobody has written to yet. Newest first. */
export function withGreeted(chats: ChatView[], people: ContactView[]): ChatView[] {
  const known = new Set(chats.map(({ chat }) => chat));
  const greeted = people
    .flatMap((person) => (person.chat !== null && !known.has(person.chat) ? [begun(person, person.chat)] : []))
    .sort((a, b) => b.active_ms - a.active_ms)
    .slice(0, GREETED_MAX);
  return [...chats, ...greeted].sort((a, b) => b.active_ms - a.active_ms);
}

/** The chat that will be there once it is opened. */
function begun(person: ContactView, chat: string): ChatView {
  return { chat, kind: 'direct', user: person.user, title: person.display_name, last: null, unread: 0, read_order: 0, draft: '', verified: person.verified, active_ms: person.since_ms, group: null };
}
