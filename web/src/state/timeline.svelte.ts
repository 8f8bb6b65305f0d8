import type { Event } from '../wire/Event';
import type { MessagePage } from '../wire/MessagePage';
import type { MessageView } from '../wire/MessageView';
import { engine } from './engine';

/** A screen or two, so that a chat opens at once; and what is fetched at a time on the way back, the most that is given. */
const PAGE = 60;
const PAGE_OLDER = 200;
/** Pages that are loaded at most to reach the first unread message. */
const UNREAD_PAGES_MAX = 50;

/** The messages of one chat that are at hand: from the newest back as far as was scrolled. */
export class Timeline {
  readonly chat: string;
  /** `shift`: the last change put older messages in front, so that what is on the screen must not move. */
  #view = $state.raw<{ messages: readonly MessageView[]; shift: boolean }>({ messages: [], shift: false });
  more = $state(false);
  loaded = $state(false);
  loading = $state(false);
  #fetching: Promise<void> | null = null;
  /** What was heard since each fetch under way began: its page may have been read before, and come after. */
  readonly #heardMeanwhile = new Set<Event[]>();

  constructor(chat: string) {
    this.chat = chat;
  }

  /** Oldest first. Replaced, never changed in place: rows compare by identity. */
  get messages(): readonly MessageView[] {
    return this.#view.messages;
  }

  get shift(): boolean {
    return this.#view.shift;
  }

  /** The newest page; everything at hand is forgotten. */
  async load(): Promise<void> {
    const { page, meanwhile } = await this.#page(null, PAGE);
    this.#view = { messages: page.messages, shift: false };
    this.more = page.more;
    this.loaded = true;
    for (const event of meanwhile) this.#apply(event);
  }

  /** The page before what is at hand. */
  loadOlder(): Promise<void> {
    this.#fetching ??= this.#older(PAGE_OLDER).finally(() => (this.#fetching = null));
    return this.#fetching;
  }

  /** Loads back until the message after `order` is at hand; its index, or none when all was read. */
  async reachUnread(order: number): Promise<number | null> {
    for (let pages = 0; pages < UNREAD_PAGES_MAX; pages += 1) {
      const oldest = this.messages[0];
      if (!oldest || oldest.order <= order || !this.more) break;
      await this.loadOlder();
    }
    const index = this.messages.findIndex((message) => message.order > order && !message.mine && message.body.kind !== 'system');
    return index < 0 ? null : index;
  }

  /** Loads back until this message is at hand; its index, or none when it is not in this chat any more. */
  async reach(id: string): Promise<number | null> {
    for (let pages = 0; pages < UNREAD_PAGES_MAX; pages += 1) {
      const index = this.messages.findIndex((message) => message.id === id);
      if (index >= 0) return index;
      if (!this.more) break;
      await this.loadOlder();
    }
    return null;
  }

  heard(event: Event): void {
    for (const meanwhile of this.#heardMeanwhile) meanwhile.push(event);
    this.#apply(event);
  }

  #apply(event: Event, shift = false): void {
    if (event.event === 'messages' && event.value.chat === this.chat) this.merge(event.value.messages, shift);
    if (event.event === 'message_discarded' && event.value.chat === this.chat) {
      const { id } = event.value;
      this.#view = { messages: this.messages.filter((message) => message.id !== id), shift };
    }
  }

  /** Puts changed messages in their places. Ones older than what is at hand are left for their page. */
  merge(changed: readonly MessageView[], shift = false): void {
    if (!this.loaded) return;
    const fresh = new Map(changed.map((message) => [message.id, message]));
    const oldest = this.messages[0]?.order ?? Number.NEGATIVE_INFINITY;
    const had = new Set<string>();
    let sorted = true;
    const next = this.messages.map((message) => {
      const change = fresh.get(message.id);
      if (!change) return message;
      had.add(message.id);
      sorted &&= change.order === message.order;
      return change;
    });
    for (const message of fresh.values()) {
      if (had.has(message.id) || (this.more && message.order < oldest)) continue;
      sorted &&= message.order >= (next.at(-1)?.order ?? Number.NEGATIVE_INFINITY);
      next.push(message);
    }
    if (!sorted) next.sort((a, b) => a.order - b.order);
    this.#view = { messages: next, shift };
  }

  async #page(before: number | null, limit: number): Promise<{ page: MessagePage; meanwhile: Event[] }> {
    const meanwhile: Event[] = [];
    this.#heardMeanwhile.add(meanwhile);
    try {
      const page = await engine().call({ call: 'messages', chat: this.chat, before, limit });
      return { page, meanwhile };
    } finally {
      this.#heardMeanwhile.delete(meanwhile);
    }
  }

  async #older(limit: number): Promise<void> {
    const oldest = this.messages[0];
    if (!oldest || !this.more) return;
    this.loading = true;
    try {
      const { page, meanwhile } = await this.#page(oldest.order, limit);
      const known = new Set(this.messages.map((message) => message.id));
      const older = page.messages.filter((message) => !known.has(message.id));
      this.#view = { messages: [...older, ...this.messages], shift: true };
      this.more = page.more;
      for (const event of meanwhile) this.#apply(event, true);
    } finally {
      this.loading = false;
    }
  }
}

/** Chats whose messages are kept at hand: going back to one shows it at once, where it was left. */
const KEPT_MAX = 12;

class Timelines {
  readonly #kept = new Map<string, Timeline>();

  of(chat: string): Timeline {
    const timeline = this.#kept.get(chat) ?? new Timeline(chat);
    this.#kept.delete(chat);
    this.#kept.set(chat, timeline);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT_MAX && oldest !== undefined) this.#kept.delete(oldest);
    return timeline;
  }

  heard(event: Event): void {
    for (const timeline of this.#kept.values()) timeline.heard(event);
  }

  /** The engine was restarted: events may have been missed. */
  reload(): void {
    for (const timeline of this.#kept.values()) if (timeline.loaded) void timeline.load();
  }

  clear(): void {
    this.#kept.clear();
  }
}

export const timelines = new Timelines();
