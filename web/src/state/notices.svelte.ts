import type { Event } from '../wire/Event';

/** A line that appears for a while, or until it was read. */
export interface Toast {
  id: number;
  text: string;
  tone: 'plain' | 'good' | 'bad';
}

/** Something that stays until the person has seen it. */
export interface Notice {
  code: string;
  user: string | null;
}

const TOAST_MS = 5_000;
/**
 * Alarms about the account itself: they outlive the page until somebody has seen them. Those about a contact do not go
 * here: they name whom one knows, and the contact itself stays marked.
 */
const LASTING = ['device_added', 'foreign_device'];
/** The id of this device and the codes, between spaces. */
const STORED = 'weft.notices';

function lasts(notice: Notice): boolean {
  return notice.user === null && LASTING.includes(notice.code);
}

class Notices {
  toasts = $state<Toast[]>([]);
  standing = $state<Notice[]>([]);
  #next = 1;
  #device: string | null = null;

  say(text: string, tone: Toast['tone'] = 'plain'): void {
    const id = this.#next++;
    this.toasts = [...this.toasts.filter((toast) => toast.text !== text), { id, text, tone }].slice(-3);
    setTimeout(() => this.dismiss(id), TOAST_MS);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  heard(event: Event): void {
    // Wherever the sign-out came from: a line that is still there may name a contact.
    if (event.event === 'me' && !event.value) this.toasts = [];
    if (event.event !== 'notice') return;
    this.#stand(event.value);
    this.#keep();
  }

  start(): void {
    // Seen in another tab is seen in this one.
    addEventListener('storage', (event: StorageEvent) => {
      if (event.key === STORED) this.standing = [...this.standing.filter((notice) => !lasts(notice)), ...this.#kept()];
    });
  }

  /** Who is here: what this device was told and nobody has seen yet stands again. */
  signedIn(device: string): void {
    if (device === this.#device) return;
    this.#device = device;
    for (const notice of this.#kept()) this.#stand(notice);
    this.#keep();
  }

  /** Whoever signs in or out begins with nothing standing, and nothing said. */
  clear(): void {
    this.toasts = [];
    this.standing = [];
    this.#keep();
  }

  seen(notice: Notice): void {
    this.standing = this.standing.filter((other) => other.code !== notice.code || other.user !== notice.user);
    this.#keep();
  }

  #stand({ code, user }: Notice): void {
    if (!this.standing.some((notice) => notice.code === code && notice.user === user)) this.standing = [...this.standing, { code, user }];
  }

  #keep(): void {
    if (!this.#device) return;
    const codes = this.standing.filter(lasts).map((notice) => notice.code);
    if (codes.length > 0) localStorage.setItem(STORED, [this.#device, ...codes].join(' '));
    else localStorage.removeItem(STORED);
  }

  #kept(): Notice[] {
    const [device, ...codes] = (localStorage.getItem(STORED) ?? '').split(' ');
    return device === this.#device ? codes.map((code) => ({ code, user: null })).filter(lasts) : [];
  }
}

export const notices = new Notices();
