import { m } from '$messages/messages';
import { codeText } from '../../state/errors';
import { session } from '../../state/session.svelte';
import type { BodyView } from '../../wire/BodyView';
import type { ChatView } from '../../wire/ChatView';
import type { MessageView } from '../../wire/MessageView';
import type { PersonView } from '../../wire/PersonView';
import { called, listNames, nameIn, senderName } from './names';

type SystemBody = Extract<BodyView, { kind: 'system' }>;

function isMe(person: PersonView): boolean {
  return person.user === session.me?.user;
}

/** Whoever did it, at the beginning of a sentence. */
function doer({ by }: SystemBody, chat: ChatView): string {
  return by ? (isMe(by) ? m.you() : called(chat, by)) : m.somebody();
}

/** Those whom it is about; oneself first, and in small letters where that is not the beginning. */
function those({ people }: SystemBody, chat: ChatView, you: string): string {
  const others = people.filter((person) => !isMe(person)).map((person) => called(chat, person));
  return listNames(others.length < people.length ? [you, ...others] : others);
}

/** The words of a line in the middle of a chat. */
export function systemText(body: SystemBody, chat: ChatView): string {
  const by = doer(body, chat);
  switch (body.code) {
    case 'secured':
      return chat.kind === 'group' ? m.system_secured_group() : m.system_secured();
    case 'joined':
      return m.system_joined();
    case 'device_added':
      return m.system_device_added({ name: nameIn(chat, body.user) });
    case 'resynced':
      return m.system_resynced();
    case 'undecryptable':
      return m.system_undecryptable();
    case 'key_changed':
      return m.system_key_changed({ name: nameIn(chat, body.user) });
    case 'created':
      return m.system_created({ by });
    case 'named':
      return m.system_named({ by, text: body.text });
    case 'added':
      return m.system_added({ by, people: those(body, chat, m.you_object()) });
    case 'not_added':
      return m.system_not_added({ people: those(body, chat, m.you()) });
    case 'not_made':
      return m.system_not_made({ why: codeText(body.text) ?? '' }).trim();
    case 'removed':
      return m.system_removed({ by, people: those(body, chat, m.you_object()) });
    case 'left':
      return m.system_left({ people: those(body, chat, m.you()) });
    case 'gone':
      return m.system_gone({ count: body.people.length, people: those(body, chat, m.you()) });
    case 'came_meanwhile':
      return m.system_came_meanwhile({ people: those(body, chat, m.you_object()) });
    case 'went_meanwhile':
      return m.system_went_meanwhile({ people: those(body, chat, m.you_object()) });
    // Nobody is named where this device was not there to see who did it.
    case 'owner':
      return (body.by ? m.system_owner : m.system_owner_now)({ by, people: those(body, chat, m.you_object()) });
    case 'admin':
      return (body.by ? m.system_admin : m.system_admin_now)({ by, people: those(body, chat, m.you_object()) });
    case 'member':
      return (body.by ? m.system_member : m.system_member_now)({ by, people: those(body, chat, m.you_object()) });
    case 'removed_me':
      return body.by ? m.system_removed_me_by({ by }) : m.system_removed_me();
    case 'left_me':
      return m.system_left_me();
    default:
      return m.system_unknown();
  }
}

/** `[Red packet] for the new year`. */
function tagged(kind: string, text = ''): string {
  return `[${kind}] ${text}`.trim();
}

/** A message in one line, for lists and announcements. */
export function bodyLine(body: BodyView, chat: ChatView): string {
  switch (body.kind) {
    case 'text':
      return body.text;
    case 'unknown':
      return body.fallback || m.unknown_kind();
    case 'system':
      return systemText(body, chat);
    // How much is not said here: a card only says what its sender meant.
    case 'transfer':
      return tagged(m.money_transfer(), body.note);
    case 'packet':
      return tagged(m.money_packet(), body.greeting);
    case 'request':
      return tagged(chat.kind === 'group' ? m.money_split() : m.money_request(), body.note);
    case 'paid':
      return tagged(m.money_paid());
    case 'invoice':
      return tagged(m.invoice());
  }
}

/** The same with who said it. A line in the middle says that itself. */
export function saidLine(message: MessageView, chat: ChatView): string {
  const text = bodyLine(message.body, chat);
  return message.body.kind === 'system' ? text : m.said_by({ name: senderName(chat, message), text });
}
