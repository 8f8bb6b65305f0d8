import type { TermsAssetView, TermsRateView, TermsView } from '../../../state/link-terms.svelte';
import type { AssetView } from '../../../wire/AssetView';
import { CODE, scaleOf } from '../asset';
import { amountError } from '../amount';
import { m } from '$messages/messages';
import { editRate } from '../exchange';
import { DAY_MS, editLimit, rateError, readLimit, readRate, sameAsset, sameRate, untilOf, type Said } from './terms';

/** What a form says of an asset. */
export interface AssetWish {
  code: string;
  theirs: boolean;
  scale: number;
  /** As it was typed; empty: it is left as it is. */
  limit: string;
  /** What stands there now. */
  before: string;
  /** It is in the terms: there it stays. */
  covered: boolean;
}

/** An asset, as a choice for rates. */
export const keyOf = ({ code, theirs }: { code: string; theirs: boolean }): string => `${theirs ? 'their:' : ''}${code}`;

/** Terms as somebody fills them in: what there is, and what is to be otherwise. */
export class Wish {
  assets = $state<AssetWish[]>([]);
  /** One more asset of the other server: its short name, decimals and limit. */
  more = $state({ code: '', scale: '2', limit: '' });
  /** The rates that there are, in their order; empty: it is taken back. */
  rates = $state<{ known: TermsRateView; text: string; before: string }[]>([]);
  /** One more, or another of the same two. */
  rate = $state({ give: '', get: '', text: '', day: '' });
  days = $state('7');

  /** `now`: what it begins from, and what the other operator is told that it begins from. */
  constructor(readonly now: TermsView | null, own: readonly AssetView[], readonly region: string) {
    const known = now?.assets ?? [];
    const fill = (asset: TermsAssetView): AssetWish => ({ code: asset.code, theirs: asset.theirs, scale: asset.scale, limit: editLimit(asset, region), before: editLimit(asset, region), covered: true });
    const fresh = own.filter(({ code }) => !known.some((one) => !one.theirs && one.code === code));
    this.assets = [...known.map(fill), ...fresh.map(({ code, scale }) => ({ code, theirs: false, scale, limit: '', before: '', covered: false }))];
    this.rates = (now?.rates ?? []).map((rate) => ({ known: rate, text: editRate(rate.rate, region), before: editRate(rate.rate, region) }));
    if (now) this.days = String(Math.max(1, Math.round(now.lifetime_ms / DAY_MS)));
    this.#days = this.days;
  }
  readonly #days: string;

  /** What is wrong with the limit of an asset. */
  limitError(asset: AssetWish): string | undefined {
    if (asset.limit.trim() === '') return asset.covered ? m.terms_limit_kept() : undefined;
    const { error } = readLimit(asset.limit, asset.scale, this.region);
    return error && amountError(error, asset, this.region);
  }

  /** What is wrong with the one more, field by field; nothing is as long as nothing is typed. */
  get moreErrors(): { code?: string; scale?: string; limit?: string } {
    const { code, scale, limit } = this.more;
    if (!code.trim() && !limit.trim()) return {};
    const decimals = scaleOf(scale);
    const { error } = readLimit(limit, decimals ?? 0, this.region);
    return {
      ...(CODE.test(code.trim()) ? {} : { code: m.define_code_error() }),
      ...(decimals === null ? { scale: m.define_scale_error() } : {}),
      ...(error && (decimals !== null || error === 'empty') ? { limit: amountError(error, { code: code.trim(), scale: decimals ?? 0 }, this.region) } : {}),
    };
  }

  get #moreWrong(): boolean {
    return Object.keys(this.moreErrors).length > 0;
  }

  /** What rates can be between: what the terms will have. */
  get choices(): { code: string; theirs: boolean }[] {
    const { code, limit } = this.more;
    const more = code.trim() && limit.trim() && !this.#moreWrong ? [{ code: code.trim(), theirs: true }] : [];
    return [...this.assets.filter(({ covered, limit: typed }) => covered || typed.trim() !== ''), ...more];
  }

  /** What is wrong with one more rate: with the two that it is between, and with the number; nothing is as long as nothing is typed. */
  get rateErrors(): { give?: string; get?: string; text?: string } {
    const { give, get, text } = this.rate;
    if (text.trim() === '') return give || get ? { text: m.terms_error_rate() } : {};
    const number = rateProblem(text);
    return {
      ...(give ? {} : { give: m.terms_rate_side() }),
      ...(get && get !== give ? {} : { get: get ? m.terms_rate_same() : m.terms_rate_side() }),
      ...(number ? { text: number } : {}),
    };
  }

  get #rateWrong(): boolean {
    return Object.keys(this.rateErrors).length > 0;
  }

  /** What is wrong with another rate for the same two. */
  changeError({ text, before }: { text: string; before: string }): string | undefined {
    return text.trim() === '' || text === before ? undefined : rateProblem(text);
  }

  /** The one more, as it was read. */
  get added(): TermsRateView | null {
    const { give, get, text, day } = this.rate;
    const { rate } = readRate(text);
    if (rate === undefined || this.#rateWrong) return null;
    const side = (key: string): [string, boolean] => [key.replace('their:', ''), key.startsWith('their:')];
    const [[giveCode, givesTheirs], [getCode, getsTheirs]] = [side(give), side(get)];
    return { give: giveCode, givesTheirs, get: getCode, getsTheirs, rate, until_ms: untilOf(day) ? Number(untilOf(day)) : null };
  }

  get daysError(): string | undefined {
    return /^\d{1,3}$/.test(this.days.trim()) && Number(this.days) >= 1 && Number(this.days) <= 366 ? undefined : m.terms_error_days();
  }

  get wrong(): boolean {
    const bad = this.assets.some((asset) => asset.limit.trim() !== '' && this.limitError(asset) !== undefined);
    const rates = this.rates.some((rate) => this.changeError(rate) !== undefined);
    return bad || rates || this.#moreWrong || this.#rateWrong || Boolean(this.daysError);
  }

  /** What is to be otherwise, as the node takes it. */
  rows(): string[][] {
    const flag = (theirs: boolean): string => (theirs ? '1' : '');
    const rows: string[][] = [];
    for (const { code, theirs, scale, limit, before } of this.assets) {
      const read = limit.trim() === '' || limit === before ? null : readLimit(limit, scale, this.region);
      if (read?.limit !== undefined) rows.push(['asset', code, flag(theirs), String(scale), read.limit]);
    }
    const { code, scale, limit } = this.more;
    const decimals = scaleOf(scale);
    const more = code.trim() && decimals !== null ? readLimit(limit, decimals, this.region) : null;
    if (more?.limit !== undefined) rows.push(['asset', code.trim(), '1', String(decimals), more.limit]);
    for (const { known, text, before } of this.rates) {
      const until = known.until_ms === null ? '' : String(known.until_ms);
      const rate = text.trim() ? (readRate(text).rate ?? text) : '';
      if (text !== before && rate !== known.rate) rows.push(['rate', known.give, flag(known.givesTheirs), known.get, flag(known.getsTheirs), rate, until]);
    }
    const { added } = this;
    if (added) rows.push(['rate', added.give, flag(added.givesTheirs), added.get, flag(added.getsTheirs), added.rate, added.until_ms === null ? '' : String(added.until_ms)]);
    if (this.days !== this.#days || rows.length === 0) rows.push(['lifetime', String(Number(this.days) * DAY_MS)]);
    return rows;
  }

  /** What would be signed: what it begins from, and the rows that are sent. */
  get after(): Said {
    const said: Said = { assets: [...(this.now?.assets ?? [])], rates: [...(this.now?.rates ?? [])], lifetime_ms: Number(this.days) * DAY_MS };
    for (const [what, one = '', two = '', three = '', four = '', five = '', six = ''] of this.rows()) {
      if (what === 'asset') {
        const asset: TermsAssetView = { code: one, theirs: two === '1', scale: Number(three), limit: four };
        said.assets = put(said.assets, asset, (known) => sameAsset(known, asset));
      } else if (what === 'rate') {
        const rate: TermsRateView = { give: one, givesTheirs: two === '1', get: three, getsTheirs: four === '1', rate: five, until_ms: six ? Number(six) : null };
        said.rates = rate.rate ? put(said.rates, rate, (known) => sameRate(known, rate)) : said.rates.filter((known) => !sameRate(known, rate));
      }
    }
    return said;
  }

  /** Whether something is otherwise than it is. */
  get changed(): boolean {
    const rows = this.rows();
    return this.days !== this.#days || rows.some(([what]) => what !== 'lifetime');
  }
}

/** In place of the one that it replaces, or as the last. */
function put<T>(all: readonly T[], one: T, same: (known: T) => boolean): T[] {
  return all.some(same) ? all.map((known) => (same(known) ? one : known)) : [...all, one];
}

function rateProblem(text: string): string | undefined {
  const { error } = readRate(text);
  return error && rateError(error);
}
