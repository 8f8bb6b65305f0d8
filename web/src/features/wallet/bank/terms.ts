import { m } from '$messages/messages';
import { errorCode, errorField } from '../../../state/errors';
import type { TermsAssetView, TermsRateView, TermsView } from '../../../state/link-terms.svelte';
import { editAmount, formatAmount, parseAmount, plainDecimal, type AmountError } from '../../../state/money';
import { detailOf, moneyError } from '../../../state/money-errors';
import { editRate } from '../exchange';
import { dayStart } from '../statement';

export const DAY_MS = 24 * 60 * 60 * 1000;
/** Decimals of a rate, as the node takes them. */
const RATE_DECIMALS_MAX = 9;

/** What terms say, whoever has signed them. */
export type Said = Pick<TermsView, 'assets' | 'rates' | 'lifetime_ms'>;
/** How a person reads: `tag` for days, `region` for numbers, as `i18n` has them. */
export interface Reader {
  tag: string;
  region: string;
}

/** `They take up to 500.00 EUR of ours.` */
export function assetText(asset: TermsAssetView, { region }: Reader): string {
  const amount = limitText(asset, region);
  return asset.theirs ? m.terms_asset_theirs({ amount }) : m.terms_asset_ours({ amount });
}

/** `500.00 EUR` */
function limitText(asset: TermsAssetView, region: string): string {
  return formatAmount(asset.limit.replace('.', ''), asset, region);
}

/** What is paid and what is got; whose it is where both have the same name. */
export function rateSides({ give, givesTheirs, get, getsTheirs }: Omit<TermsRateView, 'rate' | 'until_ms'>): { give: string; get: string } {
  const name = (code: string, theirs: boolean): string => (give !== get ? code : theirs ? m.terms_of_theirs({ code }) : m.terms_of_ours({ code }));
  return { give: name(give, givesTheirs), get: name(get, getsTheirs) };
}

/** `1 EUR becomes 1.09 USD, until 1 December.` */
export function rateText(view: TermsRateView, { tag, region }: Reader): string {
  const { until_ms } = view;
  const text = m.links_rate({ ...rateSides(view), rate: editRate(view.rate, region) });
  // From then on it holds no more: the last day is the one before.
  return until_ms === null ? text : m.terms_rate_until({ text, day: new Intl.DateTimeFormat(tag, { dateStyle: 'medium', timeZone: 'UTC' }).format(until_ms - 1) });
}

export function daysText({ lifetime_ms }: Said): string {
  return m.terms_days({ count: Math.round(lifetime_ms / DAY_MS) });
}

/** All that they say, a line each. */
export function termsLines(terms: Said, reader: Reader): string[] {
  return comparedLines(terms, null, reader).map(([line]) => line);
}

/** The same, each with what is otherwise than before. None: there is nothing to compare with. */
export function comparedLines(terms: Said, before: Said | null, reader: Reader): [line: string, note: string][] {
  const was = (known: string | undefined, now: string): string => {
    if (!before || known === now) return '';
    return known === undefined ? m.terms_new() : m.terms_before({ what: known });
  };
  const assets = terms.assets.map((asset): [string, string] => {
    const known = before?.assets.find((one) => sameAsset(one, asset));
    return [assetText(asset, reader), was(known && limitText(known, reader.region), limitText(asset, reader.region))];
  });
  const rates = terms.rates.map((rate): [string, string] => {
    const known = before?.rates.find((one) => sameRate(one, rate));
    return [rateText(rate, reader), was(known && rateText(known, reader), rateText(rate, reader))];
  });
  const gone = before?.rates.filter((rate) => !terms.rates.some((one) => sameRate(one, rate))) ?? [];
  const days: [string, string] = [daysText(terms), was(before ? daysText(before) : undefined, daysText(terms))];
  return [...assets, ...rates, ...gone.map((rate): [string, string] => [rateText(rate, reader), m.terms_gone()]), days];
}

export function sameAsset(one: TermsAssetView, other: TermsAssetView): boolean {
  return one.code === other.code && one.theirs === other.theirs;
}

/** Between the same two, in the same direction. */
export function sameRate(one: TermsRateView, other: TermsRateView): boolean {
  return one.give === other.give && one.givesTheirs === other.givesTheirs && one.get === other.get && one.getsTheirs === other.getsTheirs;
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

export type RateError = 'marks' | 'decimals' | 'number';

/** A rate as it was typed, as the node takes it. Rates have no thousands: the one mark, `.` or `,`, is that of the decimals in every language. */
export function readRate(text: string): { rate: string; error?: never } | { error: RateError; rate?: never } {
  const typed = text.normalize('NFKC').replace(/。/gu, '.').trim();
  if (/^[\d.,'’\s]+$/u.test(typed) && (/['’\s]/u.test(typed) || /[.,].*[.,]/u.test(typed))) return { error: 'marks' };
  const [, whole = '', decimals = ''] = /^(\d*)(?:[.,](\d*))?$/.exec(typed) ?? [];
  const part = decimals.replace(/0+$/, '');
  if (!/[1-9]/.test(whole + part)) return { error: 'number' };
  if (part.length > RATE_DECIMALS_MAX) return { error: 'decimals' };
  return { rate: `${whole.replace(/^0+(?=\d)/, '') || '0'}${part && `.${part}`}` };
}

/** What is wrong with a rate that was typed. */
export function rateError(error: RateError): string {
  return error === 'marks' ? m.terms_error_rate_marks() : error === 'decimals' ? m.terms_error_rate_decimals({ count: RATE_DECIMALS_MAX }) : m.terms_error_rate();
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
  offers_moved: m.terms_error_offers,
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
