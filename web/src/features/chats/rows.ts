import type { MessageView } from '../../wire/MessageView';

/** Bubbles of one person that are nearer than this belong together. */
const GROUP_MS = 3 * 60_000;

/** A message, and what stands around it. Rows and messages are one to one, so that an index means both. */
export interface Row {
  message: MessageView;
  /** A new day begins here. */
  day: boolean;
  /** The first message that was not read when the chat was opened. */
  unread: boolean;
  /** First and last of its group. */
  first: boolean;
  last: boolean;
}

export function toRows(messages: readonly MessageView[], unreadFrom: number | null): Row[] {
  let unreadShown = unreadFrom === null;
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const after = messages[index + 1];
    const unread = !unreadShown && unreadFrom !== null && message.order > unreadFrom && !message.mine && message.body.kind !== 'system';
    unreadShown ||= unread;
    const day = !before || !sameDay(before.time_ms, message.time_ms);
    return {
      message,
      day,
      unread,
      first: day || unread || !joins(before, message),
      last: !after || !sameDay(message.time_ms, after.time_ms) || !joins(message, after),
    };
  });
}

function joins(one: MessageView | undefined, next: MessageView): boolean {
  if (!one || one.sender !== next.sender) return false;
  const plain = one.body.kind !== 'system' && next.body.kind !== 'system';
  return plain && Math.abs(next.time_ms - one.time_ms) < GROUP_MS;
}

function sameDay(a: number, b: number): boolean {
  // Cheap: this runs for every message at hand whenever one of them changes.
  return Math.abs(a - b) < 86_400_000 && new Date(a).getDate() === new Date(b).getDate();
}
