import BookUser from '@lucide/svelte/icons/book-user';
import Info from '@lucide/svelte/icons/info';
import Languages from '@lucide/svelte/icons/languages';
import Lock from '@lucide/svelte/icons/lock-keyhole';
import LogOut from '@lucide/svelte/icons/log-out';
import MessageCircle from '@lucide/svelte/icons/message-circle';
import MonitorSmartphone from '@lucide/svelte/icons/monitor-smartphone';
import Moon from '@lucide/svelte/icons/moon';
import Network from '@lucide/svelte/icons/network';
import PaletteIcon from '@lucide/svelte/icons/palette';
import QrCode from '@lucide/svelte/icons/qr-code';
import ShieldCheck from '@lucide/svelte/icons/shield-check';
import Store from '@lucide/svelte/icons/store';
import Sun from '@lucide/svelte/icons/sun';
import UserPlus from '@lucide/svelte/icons/user-plus';
import UsersRound from '@lucide/svelte/icons/users-round';
import UserRound from '@lucide/svelte/icons/circle-user-round';
import Wallet from '@lucide/svelte/icons/wallet';
import { m } from '$messages/messages';
import type { Component } from 'svelte';
import { HOME, router } from '../../router.svelte';
import { appearance } from '../../state/appearance.svelte';
import { chats } from '../../state/chats.svelte';
import { contacts } from '../../state/contacts.svelte';
import { fold } from '../../state/fold';
import { i18n } from '../../state/i18n.svelte';
import { purse } from '../../state/purse.svelte';
import { session } from '../../state/session.svelte';

type Icon = Component<{ size?: number }>;

/** Something that can be found and opened. */
export interface Entry {
  key: string;
  title: string;
  detail: string;
  /** A person, for the picture; none: a page or an action. */
  user: string | null;
  icon?: Icon;
  run: () => void;
}

/** How many are shown; typing more narrows it down. */
const SHOWN_MAX = 12;

/** Chats first, by their last message, then other people, then pages and actions. */
export function entries(): Entry[] {
  const withChat = new Set(chats.list.map((chat) => chat.user));
  return [
    ...chats.list.map((chat): Entry => ({ key: `chat ${chat.chat}`, title: chat.title, detail: chat.user ?? (chat.group ? m.members_count({ count: chat.group.members }) : ''), user: chat.kind === 'group' ? null : (chat.user ?? chat.chat), icon: UsersRound, run: () => router.go(router.to('chats', chat.chat)) })),
    ...[...contacts.accepted, ...contacts.incoming, ...contacts.outgoing]
      .filter((contact) => !withChat.has(contact.user))
      .map((contact): Entry => ({ key: `contact ${contact.user}`, title: contact.display_name, detail: contact.user, user: contact.user, run: () => router.go(router.to('contacts', contact.user)) })),
    ...pages(),
    // Last: they are found by those who look for them, and stand in nobody's way.
    ...contacts.accepted.map((contact): Entry => ({ key: `safety ${contact.user}`, title: `${m.safety_number()}: ${contact.display_name}`, detail: contact.user, user: null, icon: ShieldCheck, run: () => router.go(router.to('contacts', contact.user, 'verify')) })),
  ];
}

function pages(): Entry[] {
  const page = (path: string, title: string, icon: Icon): Entry => ({ key: path, title, detail: '', user: null, icon, run: () => router.go(path) });
  const action = (key: string, title: string, icon: Icon, run: () => void): Entry => ({ key, title, detail: '', user: null, icon, run });
  return [
    page(HOME, m.tab_chats(), MessageCircle),
    page('/contacts', m.tab_contacts(), BookUser),
    page('/chats/new', m.group_new(), UsersRound),
    page('/contacts/add', m.contact_add(), UserPlus),
    page('/contacts/link', m.my_link(), QrCode),
    ...(purse.ready ? [page('/me/wallet', m.wallet(), Wallet), page('/me/shops', m.shops(), Store)] : []),
    page('/me/profile', m.profile(), UserRound),
    page('/me/appearance', m.appearance(), PaletteIcon),
    page('/me/devices', m.devices(), MonitorSmartphone),
    page('/me/password', m.change_password(), Lock),
    ...(session.me?.role === 'owner' ? [page('/me/nodes', m.peers(), Network)] : []),
    page('/me/about', m.about(), Info),
    page('/me/sign-out', m.sign_out(), LogOut),
    action('light', `${m.theme()}: ${m.theme_light()}`, Sun, () => appearance.set('light')),
    action('dark', `${m.theme()}: ${m.theme_dark()}`, Moon, () => appearance.set('dark')),
    action('en', 'English', Languages, () => i18n.set('en')),
    action('zh', '中文', Languages, () => i18n.set('zh')),
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
