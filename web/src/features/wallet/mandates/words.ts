import { m } from '$messages/messages';
import { formatAmount } from '../../../state/money';
import { moneyCodeText } from '../../../state/money-errors';
import type { CollectionView } from '../../../wire/CollectionView';
import type { MandateView } from '../../../wire/MandateView';

export type Tone = 'plain' | 'accent' | 'warn' | 'danger';

const DAY_MS = 86_400_000;
/** So many characters of any script have no more bytes than a purpose may have (wire/limits.rs). */
export const PURPOSE_MAX = 42;

/** The day, counted since 1970, of a date as a field has it: `2026-11-21`. None: it is none. */
export function dayOf(text: string): number | null {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) ? null : ms / DAY_MS;
}

export function dayName(day: number, tag: string, dateStyle: 'long' | 'medium' = 'long'): string {
  return new Intl.DateTimeFormat(tag, { dateStyle, timeZone: 'UTC' }).format(day * DAY_MS);
}

/** Where the person's days begin, in minutes east of UTC: as in winter, so that no day begins before it does here. */
export function zone(now: number): number {
  const year = new Date(now).getFullYear();
  return -Math.max(new Date(year, 0, 1).getTimezoneOffset(), new Date(year, 6, 1).getTimezoneOffset());
}

/** How it stands, in a word. */
export function stateOf({ state }: MandateView): { text: string; tone: Tone } {
  switch (state) {
    case 'live':
      return { text: m.mandate_live(), tone: 'accent' };
    case 'over':
      return { text: m.mandate_is_over(), tone: 'plain' };
    case 'given_up':
      return { text: m.mandate_given_up(), tone: 'plain' };
    default:
      return { text: m.mandate_ended(), tone: 'plain' };
  }
}

/** `10.00 EUR every month`. */
export function termsOf({ amount, asset, standing, period }: Pick<MandateView, 'amount' | 'asset' | 'standing' | 'period'>, tag: string): string {
  const sum = { amount: formatAmount(amount, asset, tag) };
  if (standing) return period === 'week' ? m.mandate_terms_week(sum) : m.mandate_terms_month(sum);
  return period === 'week' ? m.mandate_upto_week(sum) : m.mandate_upto_month(sum);
}

/** From when to when. */
export function spanOf({ first_day, last_day, count }: Pick<MandateView, 'first_day' | 'last_day' | 'count'>, tag: string): string {
  const first = dayName(first_day, tag);
  const span = last_day === null ? m.mandate_since({ date: first }) : m.mandate_span({ first, last: dayName(last_day, tag) });
  return count === null ? span : `${span} · ${m.mandate_times({ count })}`;
}

/** The collection that is due and has failed, if there is one. */
export function failedOf(mandate: MandateView): CollectionView | null {
  const last = mandate.collections[0];
  return mandate.due && last?.period === mandate.next && last.refused !== null ? last : null;
}

export function whyOf({ refused }: CollectionView): string {
  return moneyCodeText(refused ?? '') ?? m.error_payment_refused();
}

export function outcomeOf({ transfer, refused }: CollectionView): { text: string; tone: Tone } {
  if (transfer !== null) return { text: m.mandate_collected(), tone: 'accent' };
  return refused !== null ? { text: m.mandate_refused(), tone: 'danger' } : { text: m.mandate_missed(), tone: 'plain' };
}
