/** Amounts as people write and read them. Inside they are whole minor units, never a floating number. */
import type { AssetView } from '../wire/AssetView';

/** What an amount needs of its asset. */
export type Unit = Pick<AssetView, 'code' | 'scale'>;
export type AmountError = 'empty' | 'format' | 'decimals' | 'too_large' | 'zero' | 'negative';
export type Parsed = { minor: bigint; error?: never } | { error: AmountError; minor?: never };

/** The most that the ledger counts to: a u64. */
export const MINOR_MAX = 2n ** 64n - 1n;
/** No amount is as long; what is longer was not meant as one. */
const TEXT_MAX = 60;
const NO_BREAK = '\u00a0';

/** How a locale writes numbers. */
interface Marks {
  decimal: string;
  group: string;
  minus: string;
  /** Digits of the group before the decimals, and of those left of it: 3 and 3, in India 3 and 2. */
  sizes: [number, number];
}

const known = new Map<string, Marks>();

function marksOf(locale: string): Marks {
  const had = known.get(locale);
  if (had) return had;
  const parts = new Intl.NumberFormat(locale, { numberingSystem: 'latn', useGrouping: 'always' }).formatToParts(-12345678.5);
  const mark = (type: string, other: string): string => parts.find((part) => part.type === type)?.value ?? other;
  const groups = parts.filter((part) => part.type === 'integer').map((part) => part.value.length);
  const marks: Marks = { decimal: mark('decimal', '.'), group: mark('group', ''), minus: mark('minusSign', '-'), sizes: [groups.at(-1) ?? 3, groups.at(-2) ?? 3] };
  known.set(locale, marks);
  return marks;
}

/** What stands before the decimals: `.`, `,`. */
export function decimalMark(locale: string): string {
  return marksOf(locale).decimal;
}

/** Every space is one, every apostrophe one, and what a Chinese keyboard types is what it stands for. */
function plain(text: string): string {
  return text.normalize('NFKC').replace(/。/gu, '.').replace(/\s/gu, ' ').replace(/[’‘]/gu, "'").replace(/[−‐‑–]/gu, '-').trim();
}

/** What people write for a currency beside its code, where its sign is not what they type. */
const WORDS: Readonly<Record<string, readonly string[]>> = { CNY: ['元'], JPY: ['円'] };
const signs = new Map<string, readonly string[]>();

/** What may stand beside a number of this asset: `eur`, `€`. */
function signsOf(code: string, locale: string): readonly string[] {
  const key = `${code} ${locale}`;
  const had = signs.get(key);
  if (had) return had;
  const sign = (currencyDisplay: 'symbol' | 'narrowSymbol'): string =>
    new Intl.NumberFormat(locale, { style: 'currency', currency: code, currencyDisplay }).formatToParts(0).find(({ type }) => type === 'currency')?.value ?? '';
  const known = /^[A-Z]{3}$/.test(code) ? [sign('symbol'), sign('narrowSymbol'), ...(WORDS[code] ?? [])] : [];
  const all = [...new Set([code, ...known].map((one) => plain(one).toLowerCase()).filter(Boolean))];
  signs.set(key, all);
  return all;
}

/** Without what it is of, where that stands before or behind it. */
function bare(typed: string, code: string, locale: string): string {
  const small = typed.toLowerCase();
  for (const sign of signsOf(code, locale)) {
    if (small.endsWith(sign)) return typed.slice(0, -sign.length).trim();
    if (small.startsWith(sign)) return typed.slice(sign.length).trim();
  }
  return typed;
}

/**
 * Reads what was typed, with the separators of the locale: `1.234,50` in de is `1,234.50` in en. The keys of a phone may have the
 * mark of another language: where that can be nothing but the decimals, as in `12,34` in en, it is read so. `1,234` in en are
 * thousands, and what could mean two things is read as none, as is `0,125` there. Spaces and apostrophes are thousands everywhere. `code`: of its asset,
 * which may stand beside it.
 */
export function parseAmount(text: string, scale: number, locale: string, code?: string): Parsed {
  const typed = code === undefined ? plain(text) : bare(plain(text), code, locale);
  if (!plain(text)) return { error: 'empty' };
  if (typed.length > TEXT_MAX) return { error: 'too_large' };
  const marks = marksOf(locale);
  const parsed = read(typed, scale, marks);
  if (parsed.error !== 'format') return parsed;
  const decimal = plain(marks.decimal) === ',' ? '.' : ',';
  // Thousands of a third language, for all that one can tell.
  const mayGroup = new RegExp(`^-?\\s*\\d{1,3}\\${decimal}\\d{3}$`).test(typed);
  const other = mayGroup ? parsed : read(typed, scale, { ...marks, decimal, group: marks.decimal });
  // Where it makes sense in neither way, it is written as this language writes it.
  return other.minor === undefined && other.error !== 'zero' && other.error !== 'negative' ? parsed : other;
}

function read(typed: string, scale: number, marks: Marks): Parsed {
  const negative = typed.startsWith('-');
  const [whole = '', decimals, ...more] = (negative ? typed.slice(1).trim() : typed).split(plain(marks.decimal));
  const digits = joined(whole, marks);
  if (digits === null || more.length > 0 || !/^\d*$/.test(decimals ?? '') || !(digits || decimals)) return { error: 'format' };
  if (negative) return { error: 'negative' };
  if ((decimals ?? '').length > scale) return { error: 'decimals' };
  const minor = BigInt(`0${digits}${(decimals ?? '').padEnd(scale, '0')}`);
  if (minor > MINOR_MAX) return { error: 'too_large' };
  return minor === 0n ? { error: 'zero' } : { minor };
}

/** The digits before the decimals; `null`: they are not written as numbers are. Thousands may be marked, as the locale does or by spaces. */
function joined(whole: string, marks: Marks): string | null {
  if (/^\d*$/.test(whole)) return whole;
  for (const mark of new Set([plain(marks.group) || (marks.group ? ' ' : '\0'), ' ', "'"])) {
    const groups = whole.split(mark);
    const [first = '', ...rest] = groups;
    const [last, left] = marks.sizes;
    const fit = rest.every((group, index) => group.length === (index === rest.length - 1 ? last : left));
    // Nobody writes thousands of nothing: whoever types `0.001` means decimals, and is not to pay a thousand times as much.
    if (rest.length > 0 && first.startsWith('0')) continue;
    if (groups.every((group) => /^\d+$/.test(group)) && fit && first.length <= left) return groups.join('');
  }
  return null;
}

/** Whether what was typed may still become an amount by what is typed after it: as long as it may, nothing is wrong with it. */
export function mayBecome(text: string, scale: number, locale: string, code: string): boolean {
  const { decimal, sizes } = marksOf(locale);
  const more = Array.from({ length: Math.max(...sizes) + 1 }, (_, count) => '1'.repeat(count));
  const digits = more.flatMap((some) => [some, `${some}${decimal}1`]);
  const typed = plain(text).toLowerCase();
  // A sign that was begun: `5 E`, or `E` before the number.
  const begun = signsOf(code, locale).flatMap((sign) => Array.from(sign, (_, at) => at).filter((at) => at > 0 && typed.endsWith(sign.slice(0, at))).map((at) => sign.slice(at)));
  const ends = [...digits, ...begun, ...begun.flatMap((rest) => digits.map((some) => `${rest} ${some}`))];
  return ends.some((end) => parseAmount(`${text.trimStart()}${end}`, scale, locale, code).error !== 'format');
}

/** Whole and decimals, as digits. */
function split(minor: bigint, scale: number): [bigint, string] {
  const unit = 10n ** BigInt(scale);
  const size = minor < 0n ? -minor : minor;
  return [size / unit, scale > 0 ? (size % unit).toString().padStart(scale, '0') : ''];
}

function written(minor: string | bigint, scale: number, locale: string, grouped: boolean): string {
  const value = BigInt(minor);
  const marks = marksOf(locale);
  const [whole, decimals] = split(value, scale);
  const digits = new Intl.NumberFormat(locale, { numberingSystem: 'latn', useGrouping: grouped }).format(whole);
  return `${value < 0n ? marks.minus : ''}${digits}${decimals ? marks.decimal + decimals : ''}`;
}

/** `1,234.50`: without what it is of. */
export function formatNumber(minor: string | bigint, scale: number, locale: string): string {
  return written(minor, scale, locale, true);
}

/** `1,234.50 EUR`. The code stays with its number. */
export function formatAmount(minor: string | bigint, asset: Unit, locale: string): string {
  return `${formatNumber(minor, asset.scale, locale)}${NO_BREAK}${asset.code}`;
}

/** `+1,234.50 EUR`, `−1,234.50 EUR`: as a line of a history says it. */
export function formatSigned(minor: string | bigint, credit: boolean, asset: Unit, locale: string): string {
  return `${credit ? '+' : '−'}${formatAmount(minor, asset, locale)}`;
}

/** `1.2K`, `1.2万`: for a scale beside a chart, where nobody counts by it. `tag`: of its letters; its marks are the locale's. */
export function formatCompact(minor: string | bigint, asset: Unit, tag: string, locale: string): string {
  const value = Number(BigInt(minor)) / 10 ** asset.scale;
  const { decimal, group } = marksOf(locale);
  const parts = new Intl.NumberFormat(tag, { numberingSystem: 'latn', notation: 'compact', maximumSignificantDigits: 3 }).formatToParts(value);
  return parts.map(({ type, value: text }) => (type === 'decimal' ? decimal : type === 'group' ? group : text)).join('');
}

/** As it is put into a field, to be changed: `1234,50`. {@link parseAmount} reads it back. */
export function editAmount(minor: string | bigint, scale: number, locale: string): string {
  return written(minor, scale, locale, false);
}

/** For files that programs read: `-1234.50`, the same in every language. */
export function plainDecimal(minor: string | bigint, scale: number): string {
  const value = BigInt(minor);
  const [whole, decimals] = split(value, scale);
  return `${value < 0n ? '-' : ''}${whole}${decimals ? `.${decimals}` : ''}`;
}
