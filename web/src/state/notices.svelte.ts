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

class Notices {
  toasts = $state<Toast[]>([]);
  standing = $state<Notice[]>([]);
  #next = 1;

  say(text: string, tone: Toast['tone'] = 'plain'): void {
    const id = this.#next++;
    this.toasts = [...this.toasts.filter((toast) => toast.text !== text), { id, text, tone }].slice(-3);
    setTimeout(() => this.dismiss(id), TOAST_MS);
  }

  dismiss(id: number): void {
    this.toasts = this.toasts.filter((toast) => toast.id !== id);
  }

  heard(event: Event): void {
    if (event.event !== 'notice') return;
    const { code, user } = event.value;
    if (!this.standing.some((notice) => notice.code === code && notice.user === user)) this.standing = [...this.standing, { code, user }];
  }

  /** Whoever signs in or out begins with nothing standing. */
  clear(): void {
    this.standing = [];
  }

  seen(notice: Notice): void {
    this.standing = this.standing.filter((other) => other.code !== notice.code || other.user !== notice.user);
  }
}

export const notices = new Notices();
