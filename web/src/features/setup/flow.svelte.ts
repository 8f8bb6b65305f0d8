import { HOME, router } from '../../router.svelte';
import { contacts } from '../../state/contacts.svelte';
import { chats } from '../../state/chats.svelte';
import { errorText } from '../../state/errors';
import { notices } from '../../state/notices.svelte';

/** What is still to be done between signing up and the first chat. */
class Flow {
  /** The 24 words are being shown and checked. */
  phrase = $state(false);
  /** The link of the person who invited: they become the first contact. */
  #link: string | null = null;
  /** Where a link leads that is looked at before anything is done, as that of a group is. */
  #next: string = HOME;

  signedUp(link: string | null, next: string | null): void {
    this.phrase = true;
    this.#link = link;
    this.#next = next ?? HOME;
  }

  async done(): Promise<void> {
    this.phrase = false;
    const link = this.#link;
    this.#link = null;
    router.go(this.#next, true);
    if (!link) return;
    try {
      const contact = await contacts.add(link, '');
      router.go(router.to('chats', await chats.open(contact.user)), true);
    } catch (error) {
      notices.say(errorText(error), 'bad');
    }
  }
}

export const flow = new Flow();
