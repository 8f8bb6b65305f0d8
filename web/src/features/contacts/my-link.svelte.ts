import { engine } from '../../state/engine';
import type { LinkView } from '../../wire/LinkView';

/** A link that ends sooner than this is not shown any more: who gets it should have time to open it. */
const FRESH_MS = 24 * 3_600_000;

/** One's own links, made when they are first asked for and then kept: the number that may be alive is bounded. */
class MyLinks {
  readonly #made = new Map<string, LinkView>();

  async get(user: string, invite: boolean): Promise<LinkView> {
    const key = `${user} ${invite}`;
    const known = this.#made.get(key);
    if (known && known.expires_ms - Date.now() > FRESH_MS) return known;
    const link = await engine().call({ call: 'create_link', invite, base_url: location.origin });
    this.#made.set(key, link);
    return link;
  }

  /** The next one is new: the old one got into wrong hands. */
  forget(): void {
    this.#made.clear();
  }
}

export const myLinks = new MyLinks();
