import { m } from '$messages/messages';
import { HOME, router } from '../../router.svelte';
import { appearance } from '../../state/appearance.svelte';
import { chats } from '../../state/chats.svelte';
import { contacts } from '../../state/contacts.svelte';
import { i18n } from '../../state/i18n.svelte';

/** Something that can be found and opened. */
export interface Entry {
  key: string;
  title: string;
  detail: string;
  /** A person, for the picture; none: a page or an action. */
  user: string | null;
  run: () => void;
}

/** How many are shown; typing more narrows it down. */
const SHOWN_MAX = 12;

/** Chats first, by their last message, then other people, then pages and actions. */
export function entries(): Entry[] {
  const withChat = new Set(chats.list.map((chat) => chat.user));
  return [
    ...chats.list.map((chat): Entry => ({ key: `chat ${chat.chat}`, title: chat.title, detail: chat.user ?? '', user: chat.user ?? chat.chat, run: () => router.go(router.to('chats', chat.chat)) })),
    ...[...contacts.accepted, ...contacts.incoming, ...contacts.outgoing]
      .filter((contact) => !withChat.has(contact.user))
      .map((contact): Entry => ({ key: `contact ${contact.user}`, title: contact.display_name, detail: contact.user, user: contact.user, run: () => router.go(router.to('contacts', contact.user)) })),
    ...pages(),
  ];
}

function pages(): Entry[] {
  const page = (path: string, title: string): Entry => ({ key: path, title, detail: '', user: null, run: () => router.go(path) });
  const action = (key: string, title: string, run: () => void): Entry => ({ key, title, detail: '', user: null, run });
  return [
    page(HOME, m.tab_chats()),
    page('/contacts', m.tab_contacts()),
    page('/contacts/add', m.contact_add()),
    page('/contacts/link', m.my_link()),
    page('/me/profile', m.profile()),
    page('/me/appearance', m.appearance()),
    page('/me/devices', m.devices()),
    page('/me/about', m.about()),
    page('/me/sign-out', m.sign_out()),
    action('light', `${m.theme()}: ${m.theme_light()}`, () => appearance.set('light')),
    action('dark', `${m.theme()}: ${m.theme_dark()}`, () => appearance.set('dark')),
    action('en', 'English', () => i18n.set('en')),
    action('zh', '中文', () => i18n.set('zh')),
  ];
}

/** Every word of the query has to be somewhere in the entry; hits at the beginning come first. */
export function search(all: readonly Entry[], query: string): Entry[] {
  const words = fold(query).split(/\s+/u).filter(Boolean);
  if (words.length === 0) return all.slice(0, SHOWN_MAX);
  const scored = all.flatMap((entry, index) => {
    const title = fold(entry.title);
    const whole = `${title} ${fold(entry.detail)}`;
    if (!words.every((word) => whole.includes(word))) return [];
    const first = words[0] ?? '';
    const rank = title.startsWith(first) ? 0 : title.includes(` ${first}`) ? 1 : title.includes(first) ? 2 : 3;
    return [{ entry, rank, index }];
  });
  return scored.sort((a, b) => a.rank - b.rank || a.index - b.index).slice(0, SHOWN_MAX).map(({ entry }) => entry);
}

/** Case and accents do not matter: `jose` finds José. */
function fold(text: string): string {
  return text.normalize('NFKD').replace(/\p{Mark}/gu, '').toLowerCase();
}
