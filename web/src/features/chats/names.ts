import { m } from '$messages/messages';
import { contacts } from '../../state/contacts.svelte';
import { fold } from '../../state/fold';
import { groups } from '../../state/groups.svelte';
import { i18n } from '../../state/i18n.svelte';
import { session } from '../../state/session.svelte';
import { shortAddress } from '../../ui/address';
import type { ChatView } from '../../wire/ChatView';
import type { MessageView } from '../../wire/MessageView';
import type { PersonView } from '../../wire/PersonView';

/** So many are named; the others are counted. */
const NAMED_MAX = 4;

/** `Bob, Carol and 3 others`, as the language says it. */
export function listNames(names: readonly string[]): string {
  const rest = names.length > NAMED_MAX + 1 ? names.length - NAMED_MAX : 0;
  const shown = rest > 0 ? [...names.slice(0, NAMED_MAX), m.names_others({ count: rest })] : names;
  return new Intl.ListFormat(i18n.tag, { type: 'conjunction' }).format(shown);
}

/** What somebody is called in a chat: by one's own contacts first, so that nobody there can pose as one of them. */
export function nameIn(chat: ChatView, user: string | null): string {
  if (!user) return m.somebody();
  if (user === session.me?.user) return m.you();
  const contact = contacts.get(user);
  // Somebody who only asks calls themselves what they like.
  if (contact?.state === 'accepted') return contact.display_name;
  const member = groups.member(chat.chat, user);
  if (member) return called(chat, member);
  return user === chat.user ? chat.title : (user.split('@')[0] ?? user);
}

/** Who wrote a message: a member who has gone is still known by what their message says. */
export function senderName(chat: ChatView, message: MessageView): string {
  if (message.mine) return m.you();
  return message.sender_name ? called(chat, { user: message.sender, name: message.sender_name }) : nameIn(chat, message.sender);
}

/** People call themselves what they like: whoever is no contact and has the name of somebody else is told apart by address. */
export function called(chat: ChatView, { user, name }: PersonView): string {
  if (contacts.get(user)?.state === 'accepted') return name;
  const same = (other: PersonView): boolean => other.user !== user && fold(other.name).trim() === fold(name).trim();
  const others = [{ user: '', name: m.you() }, ...(groups.get(chat.chat)?.members ?? []), ...contacts.accepted.map((contact) => ({ user: contact.user, name: contact.display_name }))];
  return others.some(same) ? m.name_and_address({ name, user: shortAddress(user) }) : name;
}

/** Who is typing, by name where there are several who might. */
export function typingText(chat: ChatView, users: readonly string[]): string {
  if (chat.kind !== 'group') return m.typing();
  const names = users.map((user) => nameIn(chat, user));
  const [name = ''] = names;
  return names.length === 1 ? m.typing_one({ name }) : m.typing_many({ names: listNames(names) });
}
