import type { HostState } from '../engine/calls';
import type { ConnectionView } from '../wire/ConnectionView';
import type { Event } from '../wire/Event';
import type { MeView } from '../wire/MeView';
import type { NodeView } from '../wire/NodeView';
import { appearance } from './appearance.svelte';
import { engine } from './engine';
import { errorCode } from './errors';
import { notices } from './notices.svelte';

/** Who is signed in, at which node, and how the connection is. */
class Session {
  host = $state<HostState>({ state: 'starting' });
  /** Whether {@link me} was answered since the engine started: until then neither screen is shown. */
  known = $state(false);
  me = $state<MeView | null>(null);
  node = $state<NodeView | null>(null);
  connection = $state<ConnectionView>({ state: 'connecting' });
  /** The browser itself says that there is no network. */
  networkDown = $state(!navigator.onLine);

  /** Between two tries the connection is `connecting` for a moment: that is no news until one succeeds. */
  #lost = $state(false);
  /** A socket that is alive knows better than the browser: a node on this very machine needs no network. */
  readonly offline = $derived(this.connection.state !== 'online' && (this.networkDown || this.#lost));
  readonly title = $derived(this.node?.title || this.node?.name || 'Weft');

  /** Asks who is here. */
  async load(): Promise<void> {
    this.#is(await engine().call({ call: 'me' }));
    this.known = true;
    void this.loadNode();
  }

  /** What the node says of itself; kept as it was when the node cannot be reached. */
  async loadNode(): Promise<void> {
    try {
      this.node = await engine().call({ call: 'node' });
      appearance.accent(this.node.accent);
    } catch {
      // Asked again when the connection is back.
    }
  }

  heard(event: Event): void {
    if (event.event === 'me') this.#is(event.value);
    if (event.event === 'connection') {
      this.connection = event.value;
      // Nobody is signed in where no further try is planned.
      if (event.value.state !== 'connecting') this.#lost = event.value.state === 'offline' && event.value.retry_ms !== null;
      if (event.value.state === 'online' && !this.node) void this.loadNode();
    }
  }

  signUp(name: string, displayName: string, password: string, invite: string | null): Promise<void> {
    return this.#enter(engine().call({ call: 'sign_up', name, display_name: displayName, password, invite }));
  }

  signIn(name: string, password: string): Promise<void> {
    return this.#enter(engine().call({ call: 'sign_in', name, password }));
  }

  recover(name: string, phrase: string, newPassword: string): Promise<void> {
    return this.#enter(engine().call({ call: 'recover', name, phrase, new_password: newPassword }));
  }

  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await engine().call({ call: 'change_password', old_password: oldPassword, new_password: newPassword });
  }

  async signOut(): Promise<void> {
    try {
      await engine().call({ call: 'sign_out' });
    } catch (error) {
      // The node tells each of the account's sockets, and that can be here before its answer: it is what was asked for.
      if (errorCode(error) !== 'not_signed_in') throw error;
    }
    notices.clear();
    this.me = null;
  }

  async rename(name: string): Promise<void> {
    await this.#enter(engine().call({ call: 'set_display_name', name }));
  }

  async confirmPhrase(words: [number, string][]): Promise<void> {
    await engine().call({ call: 'confirm_phrase', words });
    if (this.me) this.me = { ...this.me, phrase_confirmed: true };
  }

  async #enter(me: Promise<MeView | null>): Promise<void> {
    const entered = this.me === null;
    this.#is(await me);
    if (entered) notices.clear();
  }

  #is(me: MeView | null): void {
    this.me = me;
    if (me) notices.signedIn(me.device);
  }
}

export const session = new Session();
