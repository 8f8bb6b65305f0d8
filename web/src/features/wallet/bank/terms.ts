import { m } from '$messages/messages';
import { errorCode, errorField } from '../../../state/errors';
import type { TermsAssetView, TermsRateView, TermsView } from '../../../state/link-terms.svelte';
import { editAmount, parseAmount, plainDecimal, type AmountError } from '../../../state/money';
import { detailOf, moneyError } from '../../../state/money-errors';
import { dayStart } from '../statement';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** `They take up to 500.00 EUR of ours.` */
export function assetText({ code, theirs, limit }: TermsAssetView): string {
  const amount = `${limit} ${code}`;
  return theirs ? m.terms_asset_theirs({ amount }) : m.terms_asset_ours({ amount });
}

/** `1 EUR becomes 1.09 USD, until 1 December.` */
export function rateText({ give, get, rate, until_ms }: TermsRateView, tag: string): string {
  const text = m.links_rate({ give, get, rate });
  // From then on it holds no more: the last day is the one before.
  return until_ms === null ? text : m.terms_rate_until({ text, day: new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeZone: 'UTC' }).format(until_ms - 1) });
}

export function daysText({ lifetime_ms }: TermsView): string {
  return m.terms_days({ count: Math.round(lifetime_ms / DAY_MS) });
}

/** All that they say, a line each. */
export function termsLines(terms: TermsView, tag: string): string[] {
  return [...terms.assets.map(assetText), ...terms.rates.map((rate) => rateText(rate, tag)), daysText(terms)];
}

export function sameAsset(one: TermsAssetView, other: TermsAssetView): boolean {
  return one.code === other.code && one.theirs === other.theirs;
}

/** A limit as it was typed, as the node takes it; 0 is one: nothing more. */
export function readLimit(text: string, scale: number, region: string): { limit: string; error?: never } | { error: AmountError; limit?: never } {
  const parsed = parseAmount(text, scale, region);
  if (parsed.error === 'zero') return { limit: plainDecimal(0n, scale) };
  return parsed.error ? { error: parsed.error } : { limit: plainDecimal(parsed.minor, scale) };
}

/** The other way around: as this language writes it. */
export function editLimit({ limit, scale }: TermsAssetView, region: string): string {
  return editAmount(limit.replace('.', ''), scale, region);
}

/** A rate as it was typed: `1.09`, `1,09`. None: it is no number above 0. */
export function readRate(text: string, region: string): string | null {
  const parsed = parseAmount(text, 9, region);
  return parsed.minor === undefined ? null : plainDecimal(parsed.minor, 9).replace(/\.?0+$/, '');
}

/** The last day (UTC) on which a rate holds, in ms; empty: as long as the terms. */
export function untilOf(day: string): string {
  const start = day ? Date.parse(`${day}T00:00:00Z`) : NaN;
  return Number.isNaN(start) ? '' : String(start + DAY_MS);
}

/** From which day on payments are compared; none: all of them. */
export function sinceOf(day: string): number {
  return (day && dayStart(day)) || 0;
}

const CONFLICTS: Readonly<Record<string, () => string>> = {
  gain: m.terms_error_gain,
  rates: m.terms_error_rates,
  assets: m.terms_error_assets,
  lifetime: m.terms_error_days,
  parties: m.terms_error_parties,
  version: m.terms_error_moved,
  terms_moved: m.terms_error_moved,
  other_terms: m.terms_error_other,
  not_frozen: m.terms_error_running,
  guarded: m.terms_error_guarded,
  since: m.terms_error_since,
  thaw_moved: m.terms_error_thaw,
};

const FIELDS: Readonly<Record<string, () => string>> = {
  limit: m.terms_error_limit,
  rate: m.terms_error_rate,
  asset: m.terms_error_asset,
  scale: m.terms_error_asset,
  lifetime: m.terms_error_days,
  until: m.terms_error_until,
  node: m.terms_error_self,
};

/** For `Task.run`: what stands against terms; `missing`: what it means here that something is not there. */
export function termsError(missing: () => string): (error: unknown) => string | null {
  return (error) => {
    const field = errorField(error) ?? '';
    switch (errorCode(error)) {
      case 'conflict':
        return CONFLICTS[field]?.() ?? m.terms_error_refused({ why: detailOf(error) });
      case 'invalid_field':
        return FIELDS[field]?.() ?? null;
      case 'not_found':
        return detailOf(error) === 'asset' ? m.terms_error_asset() : missing();
      case 'too_many':
        return m.terms_error_many();
      default:
        return moneyError(error);
    }
  };
}
