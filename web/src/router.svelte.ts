/**
 * A small router over the fragment of the address: invite links live there too, so that no server ever sees them, and
 * the page needs no inline script and no server routes.
 */

/** The start of a link that leads to a person or opens the node. */
const INVITE = '/i/';
export const HOME = '/chats';

/** The place in this app that an invite link leads to, whatever node it names. */
export function pathOf(link: string): string {
  return new URL(link).hash.slice(1);
}

class Router {
  path = $state(current());
  /** Decoded, without the leading slash. */
  readonly parts: readonly string[] = $derived(this.path.split('/').slice(1).map(decode));
  readonly section = $derived(this.parts[0] ?? '');
  /** The whole address, when it is an invite link. */
  readonly invite = $derived(this.path.startsWith(INVITE) ? `${location.origin}/#${this.path}` : null);

  start(): void {
    addEventListener('hashchange', () => (this.path = current()));
  }

  /** `replace` leaves no way back to where we are now. */
  go(path: string, replace = false): void {
    if (path === this.path) return;
    if (replace) history.replaceState(null, '', `#${path}`);
    else history.pushState(null, '', `#${path}`);
    this.path = path;
  }

  /** A link to a path. Parts are encoded: an address has an `@`. */
  href(...parts: string[]): string {
    return `#${this.to(...parts)}`;
  }

  to(...parts: string[]): string {
    return `/${parts.map(encodeURIComponent).join('/')}`;
  }
}

function current(): string {
  const path = location.hash.slice(1);
  return path.startsWith('/') ? path : HOME;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Somebody's damaged link; it will lead to nothing, but it must not stop the page.
    return part;
  }
}

export const router = new Router();
