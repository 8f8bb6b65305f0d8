import { engine } from '../../state/engine';
import type { LinkView } from '../../wire/LinkView';

/** A link that ends sooner than this is not shown any more: who gets it should have time to open it. */
const FRESH_MS = 24 * 3_600_000;

/** One's own links, made when they are first asked for and then kept: the number that may be alive is bounded. */
class MyLinks {
  readonly #made = new Map<string, LinkView>();

  async get(user: string, invite: boolean): Promise<LinkView> {
    const known = this.#made.get(key(user, invite));
    if (known && known.expires_ms - Date.now() > FRESH_MS) return known;
    return this.#make(user, invite, false);
  }

  /** Another one from here on. It ends none of those before it: who has one of them can use it until it expires. */
  renew(user: string, invite: boolean): Promise<LinkView> {
    return this.#make(user, invite, true);
  }

  async #make(user: string, invite: boolean, fresh: boolean): Promise<LinkView> {
    const link = await engine().call({ call: 'create_link', invite, base_url: location.origin, fresh });
    this.#made.set(key(user, invite), link);
    return link;
  }
}

function key(user: string, invite: boolean): string {
  return `${user} ${invite}`;
}

export const myLinks = new MyLinks();
