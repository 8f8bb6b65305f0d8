import { m } from '$messages/messages';
import { SvelteMap } from 'svelte/reactivity';
import type { Event } from '../wire/Event';
import type { GroupLinkView } from '../wire/GroupLinkView';
import type { GroupView } from '../wire/GroupView';
import type { JoinedView } from '../wire/JoinedView';
import type { MemberView } from '../wire/MemberView';
import { chats } from './chats.svelte';
import { engine } from './engine';

/** The most people that a group has (wire/limits.rs, ROOM_MEMBERS_MAX). */
export const MEMBERS_MAX = 500;
export type Role = 'owner' | 'admin' | 'member';

/** The groups that were looked at: who is in them, and who asks to be let in. */
class Groups {
  readonly #all = new SvelteMap<string, GroupView>();
  readonly #asked = new Set<string>();

  get(chat: string): GroupView | undefined {
    return this.#all.get(chat);
  }

  member(chat: string, user: string): MemberView | undefined {
    return this.#all.get(chat)?.members.find((member) => member.user === user);
  }

  /** Whom its picture is made of: the others, and oneself where they are few. */
  faces(chat: string): MemberView[] {
    const members = this.#all.get(chat)?.members ?? [];
    return [...members.filter((member) => !member.me), ...members.filter((member) => member.me)];
  }

  /** Asks once; from then on the engine tells what changes. */
  want(chat: string): void {
    if (this.#asked.has(chat)) return;
    this.#asked.add(chat);
    // Asked again when it is next looked at.
    this.load(chat).catch(() => this.#asked.delete(chat));
  }

  async load(chat: string): Promise<void> {
    this.#asked.add(chat);
    this.#all.set(chat, await engine().call({ call: 'group', chat }));
  }

  /** The engine was restarted: events may have been missed. */
  reload(): void {
    for (const chat of this.#asked) this.load(chat).catch(() => this.#asked.delete(chat));
  }

  clear(): void {
    this.#all.clear();
    this.#asked.clear();
  }

  heard(event: Event): void {
    if (event.event !== 'group') return;
    this.#asked.add(event.value.chat);
    this.#all.set(event.value.chat, event.value);
  }

  /** Makes one; its chat is there at once, while the members are still being brought in. */
  async create(name: string, members: string[]): Promise<string> {
    const chat = await engine().call({ call: 'create_group', name, members });
    chats.keep(chat);
    return chat.chat;
  }

  async add(chat: string, users: string[]): Promise<void> {
    await engine().call({ call: 'add_members', chat, users });
  }

  async remove(chat: string, user: string): Promise<void> {
    await engine().call({ call: 'remove_members', chat, users: [user] });
  }

  async setRole(chat: string, user: string, role: Role): Promise<void> {
    await engine().call({ call: 'set_role', chat, user, role });
  }

  async rename(chat: string, name: string): Promise<void> {
    await engine().call({ call: 'rename_group', chat, name });
  }

  async leave(chat: string): Promise<void> {
    await engine().call({ call: 'leave_group', chat });
  }

  /** After its people were looked at, whom `print` names. */
  async enter(chat: string, print: string): Promise<void> {
    await engine().call({ call: 'enter_anew', chat, print });
  }

  link(chat: string, approval: boolean, fresh: boolean): Promise<GroupLinkView> {
    return engine().call({ call: 'group_link', chat, approval, base_url: location.origin, fresh });
  }

  async endLinks(chat: string): Promise<void> {
    await engine().call({ call: 'end_group_links', chat });
  }

  join(text: string): Promise<JoinedView> {
    return engine().call({ call: 'join_group', text });
  }

  async answer(chat: string, user: string, accept: boolean): Promise<void> {
    await engine().call({ call: 'answer_join', chat, user, accept });
  }
}

export const groups = new Groups();

/** Whether one may bring people in, send them away, rename, and hand out links. Out of step, a device can change nothing. */
export function manages(group: GroupView): boolean {
  return group.state === 'active' && !group.unsure && (group.role === 'owner' || group.role === 'admin');
}

/** What there is to say to whoever is not in a group any more. */
export function outside(state: string | undefined): string | null {
  return state === 'left' ? m.group_left() : state === 'removed' ? m.group_removed() : state === 'not_made' ? m.group_not_made() : null;
}

/** Whether leaving would leave the others without an owner. */
export function isLastOwner(group: GroupView): boolean {
  const staying = group.members.filter((member) => !member.leaving);
  const owners = staying.filter((member) => member.role === 'owner');
  return staying.length > 1 && owners.length === 1 && owners[0]?.me === true;
}
