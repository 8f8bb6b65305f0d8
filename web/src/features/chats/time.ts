/** Times as people say them, in their language and time zone. */

function startOfDay(at: number): number {
  return new Date(at).setHours(0, 0, 0, 0);
}

/** Whole calendar days from `at` to `now`; a night with a clock change is still one. */
export function daysBetween(at: number, now: number): number {
  return Math.round((startOfDay(now) - startOfDay(at)) / 86_400_000);
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${JSON.stringify(options)}`;
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale, options)));
  return found;
}

/** `14:05` */
export function clock(at: number, locale: string): string {
  return format(locale, { hour: 'numeric', minute: '2-digit' }).format(at);
}

/** For the list of chats: a time today, then a day, then a date. */
export function listTime(at: number, now: number, locale: string): string {
  const days = daysBetween(at, now);
  if (days <= 0) return clock(at, locale);
  if (days === 1) return yesterday(locale);
  if (days < 7) return format(locale, { weekday: 'short' }).format(at);
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format(locale, thisYear ? { month: 'short', day: 'numeric' } : { year: '2-digit', month: 'numeric', day: 'numeric' }).format(at);
}

/** For the line between two days of a chat. */
export function dayName(at: number, now: number, locale: string): string {
  const days = daysBetween(at, now);
  if (days === 0) return relative(0, locale);
  if (days === 1) return yesterday(locale);
  if (days > 1 && days < 7) return format(locale, { weekday: 'long' }).format(at);
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format(locale, { weekday: 'short', month: 'long', day: 'numeric', ...(thisYear ? {} : { year: 'numeric' }) }).format(at);
}

/** The whole moment, for tooltips. */
export function moment(at: number, locale: string): string {
  return format(locale, { dateStyle: 'full', timeStyle: 'short' }).format(at);
}

function yesterday(locale: string): string {
  return relative(-1, locale);
}

function relative(days: number, locale: string): string {
  const text = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(days, 'day');
  return text.charAt(0).toLocaleUpperCase(locale) + text.slice(1);
}
