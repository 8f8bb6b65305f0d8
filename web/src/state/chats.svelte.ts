import { SvelteMap } from 'svelte/reactivity';
import type { ChatView } from '../wire/ChatView';
import type { Event } from '../wire/Event';
import { engine } from './engine';

/** The list of chats. */
class Chats {
  readonly #all = new SvelteMap<string, ChatView>();
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
    this.keep(chat);
    return chat.chat;
  }

  /** The answer to a call, before its event comes. */
  keep(chat: ChatView): void {
    this.#all.set(chat.chat, chat);
  }

  /**
   * Keeps what was typed, with every key: nothing waits in a page that may be gone the next moment. The engine's host
   * gathers what comes while it writes, so that a quick typist costs no more than the disk can bear.
   */
  draft(chat: string, text: string): void {
    const known = this.#all.get(chat);
    if (known && known.draft !== text) this.#all.set(chat, { ...known, draft: text });
    // A draft that could not be kept is no reason to disturb: it still stands in the composer.
    engine().call({ call: 'set_draft', chat, text }).catch(() => undefined);
  }
}

export const chats = new Chats();
