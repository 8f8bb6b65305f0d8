import { SvelteMap } from 'svelte/reactivity';
import type { Event } from '../wire/Event';

/** Typing ends by itself: the word that it stopped may be lost on the way. */
const TYPING_MS = 6_000;

/** Who is typing where. */
class Typing {
  readonly #users = new SvelteMap<string, readonly string[]>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  in(chat: string): readonly string[] {
    return this.#users.get(chat) ?? [];
  }

  heard(event: Event): void {
    if (event.event === 'typing') this.#set(event.value.chat, event.value.user, event.value.on);
    // Whoever has sent has stopped typing.
    if (event.event === 'messages') for (const message of event.value.messages) this.#set(event.value.chat, message.sender, false);
  }

  #set(chat: string, user: string, on: boolean): void {
    const timer = `${chat} ${user}`;
    clearTimeout(this.#timers.get(timer));
    this.#timers.delete(timer);
    const others = this.in(chat).filter((other) => other !== user);
    if (on) this.#timers.set(timer, setTimeout(() => this.#set(chat, user, false), TYPING_MS));
    const users = on ? [...others, user] : others;
    if (users.length !== this.in(chat).length) this.#users.set(chat, users);
  }
}

export const typing = new Typing();
