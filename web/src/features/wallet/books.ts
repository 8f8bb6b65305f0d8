import { m } from '$messages/messages';

const DAY_MS = 24 * 3_600_000;
/** Where each account stands is kept for so many days, and the one before a day is needed as well. */
const OWN_DAYS = 33;

/** A day of the books by its date, which is that of UTC everywhere. */
export function dayName(day: number, tag: string): string {
  return new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeZone: 'UTC' }).format(day * DAY_MS);
}

/** Whether the server can still show where one's own accounts stood. */
export function hasOwn(day: number, newest: number): boolean {
  return newest - day < OWN_DAYS;
}

/** What is wrong, in words. */
export function flawText(flaw: string): string {
  const words: Record<string, () => string> = {
    balance: m.books_flaw_balance,
    chain: m.books_flaw_chain,
    changed: m.books_flaw_changed,
    entry: m.books_flaw_entry,
    signature: m.books_flaw_signature,
    sums: m.books_flaw_sums,
    uneven: m.books_flaw_uneven,
  };
  return words[flaw]?.() ?? m.error_unknown({ what: flaw });
}
