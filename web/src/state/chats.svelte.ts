import { SvelteMap } from 'svelte/reactivity';
import type { ChatView } from '../wire/ChatView';
import type { Event } from '../wire/Event';
import { engine } from './engine';

/** The list of chats. */
class Chats {
  readonly #all = new SvelteMap<string, ChatView>();
  /** Drafts on their way to the disk, each with what was typed since; none: nothing was. */
  readonly #drafts = new Map<string, string | null>();
  loaded = $state(false);

  readonly list = $derived([...this.#all.values()].sort((a, b) => b.active_ms - a.active_ms));
  readonly unread = $derived(this.list.reduce((sum, chat) => sum + chat.unread, 0));

  get(chat: string): ChatView | undefined {
    return this.#all.get(chat);
  }

  async load(): Promise<void> {
    const all = await engine().call({ call: 'chats' });
    this.#all.clear();
    for (const chat of all) this.#all.set(chat.chat, chat);
    this.loaded = true;
  }

  clear(): void {
    this.#all.clear();
    this.loaded = false;
  }

  heard(event: Event): void {
    if (event.event === 'chat') this.#all.set(event.value.chat, event.value);
  }

  /** The chat with a person; it need not have a message yet. */
  async open(user: string): Promise<string> {
    const chat = await engine().call({ call: 'open_chat', user });
    this.#all.set(chat.chat, chat);
    return chat.chat;
  }

  /** Keeps what was typed: at once, and then the newest each time that one has arrived. No timer: a reload would outrun it. */
  draft(chat: string, text: string): void {
    const known = this.#all.get(chat);
    if (known && known.draft !== text) this.#all.set(chat, { ...known, draft: text });
    if (this.#drafts.has(chat)) this.#drafts.set(chat, text);
    else void this.#keepDraft(chat, text);
  }

  /** Keeps all drafts now: the page is being hidden, and may not come back. */
  flushDrafts(): void {
    for (const [chat, text] of this.#drafts) if (text !== null) void this.#keepDraft(chat, text);
  }

  async #keepDraft(chat: string, text: string): Promise<void> {
    this.#drafts.set(chat, null);
    // A draft that could not be kept is no reason to disturb: it still stands in the composer.
    await engine().call({ call: 'set_draft', chat, text }).catch(() => undefined);
    const newer = this.#drafts.get(chat) ?? null;
    this.#drafts.delete(chat);
    if (newer !== null) await this.#keepDraft(chat, newer);
  }
}

export const chats = new Chats();
