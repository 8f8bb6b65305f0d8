import { m } from '$messages/messages';
import { SvelteMap } from 'svelte/reactivity';
import type { ContactView } from '../wire/ContactView';
import type { Event } from '../wire/Event';
import type { SafetyView } from '../wire/SafetyView';
import { engine } from './engine';
import { i18n } from './i18n.svelte';
import { notices } from './notices.svelte';

/** So long it is news that somebody is a contact. */
const NEWS_MS = 3_600_000;

/** When this device was signed in, by the node's clock, as the contacts' times are. */
async function ownDevice(): Promise<number | null> {
  const devices = await engine().call({ call: 'devices' }).catch(() => []);
  return devices.find((device) => device.this)?.created_ms ?? null;
}

/** The people one knows, and those who ask. */
class Contacts {
  readonly #all = new SvelteMap<string, ContactView>();
  loaded = $state(false);
  /** Additions of one's own that are under way: no news to whoever makes them. */
  #adding = 0;
  #signedInMs: Promise<number | null> | null = null;

  readonly #sorted = $derived.by(() => {
    const order = new Intl.Collator(i18n.locale === 'zh' ? 'zh-Hans' : 'en', { sensitivity: 'base', numeric: true });
    return [...this.#all.values()].sort((a, b) => order.compare(a.display_name, b.display_name));
  });
  readonly accepted = $derived(this.#sorted.filter((contact) => contact.state === 'accepted'));
  readonly incoming = $derived(this.#sorted.filter((contact) => contact.state === 'incoming'));
  readonly outgoing = $derived(this.#sorted.filter((contact) => contact.state === 'outgoing'));
  readonly blocked = $derived(this.#sorted.filter((contact) => contact.state === 'blocked'));

  get(user: string): ContactView | undefined {
    return this.#all.get(user);
  }

  async load(): Promise<void> {
    const all = await engine().call({ call: 'contacts' });
    this.#all.clear();
    for (const contact of all) this.#all.set(contact.user, contact);
    this.loaded = true;
  }

  clear(): void {
    this.#all.clear();
    this.#signedInMs = null;
    this.loaded = false;
  }

  heard(event: Event): void {
    if (event.event === 'contacts') for (const contact of event.value) this.#take(contact);
    if (event.event === 'contact_removed') this.#all.delete(event.value.user);
  }

  /** By link, QR content or address. */
  async add(target: string, greeting: string): Promise<ContactView> {
    this.#adding += 1;
    try {
      return this.#keep(await engine().call({ call: 'add_contact', target, greeting }));
    } finally {
      this.#adding -= 1;
    }
  }

  async accept(user: string): Promise<ContactView> {
    return this.#keep(await engine().call({ call: 'accept_contact', user }));
  }

  async decline(user: string): Promise<void> {
    await engine().call({ call: 'decline_contact', user });
  }

  async block(user: string): Promise<void> {
    await engine().call({ call: 'block_contact', user });
  }

  async remove(user: string): Promise<void> {
    await engine().call({ call: 'remove_contact', user });
  }

  safety(user: string): Promise<SafetyView> {
    return engine().call({ call: 'safety_number', user });
  }

  verifyByCode(user: string, code: string): Promise<SafetyView> {
    return engine().call({ call: 'verify_by_code', user, code });
  }

  setVerified(user: string, verified: boolean): Promise<SafetyView> {
    return engine().call({ call: 'set_verified', user, verified });
  }

  /** Who has come by one's link is there without a word: this is the word. */
  #take(contact: ContactView): void {
    const come = this.loaded && this.#adding === 0 && !this.#all.has(contact.user) && contact.state === 'accepted';
    this.#all.set(contact.user, contact);
    if (come && Date.now() - contact.since_ms < NEWS_MS) void this.#tell(contact);
  }

  /** Whoever was a contact before this device was signed in is no news, however late it learns of them. */
  async #tell(contact: ContactView): Promise<void> {
    this.#signedInMs ??= ownDevice();
    const since = await this.#signedInMs;
    // Unknown: asked again with the next one, and better silent than wrong. Signed out in between: nothing is told any more.
    if (since === null) this.#signedInMs = null;
    else if (contact.since_ms > since && this.#all.has(contact.user)) notices.say(m.contact_new({ name: contact.display_name }), 'good');
  }

  #keep(contact: ContactView): ContactView {
    this.#all.set(contact.user, contact);
    return contact;
  }
}

export const contacts = new Contacts();
