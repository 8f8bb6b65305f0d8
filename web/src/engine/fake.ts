/** A scripted engine for the specs and for looking at screens without a node. It keeps nothing and encrypts nothing; no build contains it. */
import type { ChatGroup } from '../wire/ChatGroup';
import type { ChatView } from '../wire/ChatView';
import type { ContactView } from '../wire/ContactView';
import type { Event } from '../wire/Event';
import type { MemberView } from '../wire/MemberView';
import type { MessageView } from '../wire/MessageView';
import { CallFailed, type CallName, type CallOf, type Engine, type HostState, type ValueOf } from './calls';

export const ME = 'alice@home.example';
export const MINUTE = 60_000;

export function message(id: string, order: number, part: Partial<MessageView> & { text?: string } = {}): MessageView {
  const { text = `message ${id}`, ...rest } = part;
  const mine = rest.mine ?? false;
  return {
    id,
    order,
    sender: mine ? ME : 'bob@home.example',
    sender_name: null,
    mine,
    time_ms: order * MINUTE,
    body: { kind: 'text', text },
    reply_to: null,
    delivery: mine ? 'sent' : 'none',
    waits_for: null,
    ...rest,
  };
}

export function contact(user: string, name: string, part: Partial<ContactView> = {}): ContactView {
  return { user, display_name: name, state: 'accepted', greeting: '', verified: false, key_changed: false, chat: `chat-${user}`, since_ms: 0, ...part };
}

export function group(id: string, title: string, part: Partial<ChatGroup> = {}): ChatView {
  return { ...chat(id, title), chat: id, kind: 'group', user: null, group: { members: 3, role: 'owner', state: 'active', asking: 0, unsure: false, ...part } };
}

export function member(user: string, name: string, part: Partial<MemberView> = {}): MemberView {
  return { user, name, role: 'member', me: user === ME, removable: user !== ME, leaving: false, state: user === ME ? null : 'accepted', verified: false, ...part };
}

export function chat(user: string, title: string, part: Partial<ChatView> = {}): ChatView {
  return { chat: `chat-${user}`, kind: 'direct', user, title, last: null, unread: 0, read_order: 0, draft: '', verified: false, active_ms: 0, group: null, ...part };
}

type Handler = (call: never) => unknown;

/** Answers calls from a table; a call that is not in it fails as `offline`. */
export class FakeEngine implements Engine {
  readonly calls: CallOf<CallName>[] = [];
  readonly #listeners = new Set<(event: Event) => void>();
  #handlers: Partial<Record<CallName, Handler>> = {};

  on<N extends CallName>(name: N, answer: (call: CallOf<N>) => ValueOf<N> | Promise<ValueOf<N>>): this {
    this.#handlers[name] = answer as Handler;
    return this;
  }

  async call<N extends CallName>(call: CallOf<N>): Promise<ValueOf<N>> {
    this.calls.push(call);
    const handler = this.#handlers[call.call];
    if (!handler) throw fail('offline');
    return (await handler(call as never)) as ValueOf<N>;
  }

  listen(heard: (event: Event) => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  watch(heard: (state: HostState) => void): () => void {
    heard({ state: 'ready', run: 'fake' });
    return () => undefined;
  }

  async erase(): Promise<void> {
    this.#handlers = {};
  }

  emit(event: Event): void {
    for (const heard of this.#listeners) heard(event);
  }
}

export function fail(code: string, field: string | null = null): CallFailed {
  return new CallFailed({ code, message: code, field, retry_after_ms: null });
}
