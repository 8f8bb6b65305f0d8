import { CallFailed } from '../engine/calls';
import { engine } from './engine';
import { errorCode } from './errors';
import type { LinkTermsView, TermsView, ThawView } from '../engine/links';

export type { LinkTermsView, TermsAssetView, TermsRateView, TermsView, ThawView } from '../engine/links';

const yes = (flag: string | undefined): boolean => flag === '1';
const time = (text: string | undefined): number | null => (text ? Number(text) : null);

/** The rows of a table of the node, by what is in them: `LinkTerms::table` of the wire. */
export function readTerms(table: string[][]): LinkTermsView {
  const view: LinkTermsView = { frozen: null, frozen_ms: null, thawing: false, terms: [] };
  for (const [what, one = '', two = '', three = '', four = '', five = '', six = '', seven = ''] of table) {
    const last = view.terms.at(-1);
    if (what === 'link') Object.assign(view, { frozen: one || null, frozen_ms: time(two), thawing: yes(three) });
    else if (what === 'terms') view.terms.push({ standing: one, digest: two, version: Number(three), lifetime_ms: Number(four), time_ms: time(five), own: six || null, other: seven || null, assets: [], rates: [] });
    else if (what === 'asset') last?.assets.push({ code: one, theirs: yes(two), scale: Number(three), limit: four });
    else if (what === 'rate') last?.rates.push({ give: one, givesTheirs: yes(two), get: three, getsTheirs: yes(four), rate: five, until_ms: time(six) });
  }
  return view;
}

function offeredIn(view: LinkTermsView | null): string[] {
  return view?.terms.filter(({ standing }) => standing === 'offered').map(({ digest }) => digest) ?? [];
}

/** The same of `ThawRow::table`. */
export function readThaw([head = [], ...rows]: string[][]): ThawView {
  const of = (kind: string): string[] => rows.filter(([what]) => what === kind).map(([, text = '']) => text);
  return { digest: head[1] ?? '', agreed: yes(head[2]), done: yes(head[3]), guarded: of('guarded')[0] ?? null, lines: of('line') };
}

/** The terms between this server and another: asked for while their page is open, and kept nowhere. Whoever has changed them loads them anew. */
export class LinkTerms {
  value = $state.raw<LinkTermsView | null>(null);
  /** Code of what went wrong when it was asked for last. */
  failed = $state<string | null>(null);
  busy = $state(false);
  /** What holds. */
  readonly inForce = $derived(this.value?.terms.find(({ standing }) => standing === 'in_force') ?? null);
  /** Digests of what this operator offers. */
  readonly offered = $derived(offeredIn(this.value));

  constructor(readonly node: string) {}

  async load(): Promise<void> {
    this.busy = true;
    try {
      this.value = readTerms(await this.#ask('terms'));
      this.failed = null;
    } catch (error) {
      this.failed = errorCode(error) ?? 'internal';
    } finally {
      this.busy = false;
    }
  }

  /** Signs terms and offers them: `ProposeTerms::read` of the wire names the rows. `from`: what was in force when they were begun, which need not be so any more. */
  async offer(from: TermsView | null, rows: string[][]): Promise<void> {
    await this.#do('offer', [['seen', from?.digest ?? ''], ...rows]);
  }

  /** Signs these, and no others. */
  accept(terms: TermsView): Promise<void> {
    return this.#do('accept', [[terms.digest]]);
  }

  /** Takes back what is offered. The node takes back all of it: so nothing is, if that is not what was looked at. */
  async withdraw(seen: readonly string[]): Promise<void> {
    this.value = readTerms(await this.#ask('terms'));
    const moved = this.offered.some((digest) => !seen.includes(digest));
    if (moved) throw new CallFailed({ code: 'conflict', message: 'other terms are offered', field: 'offers_moved', retry_after_ms: null });
    await this.#do('withdraw', []);
  }

  freeze(): Promise<void> {
    return this.#do('freeze', []);
  }

  /** What follows from the books of both; nothing is signed. */
  async look(since: number): Promise<ThawView> {
    return readThaw(await this.#ask('thaw', [[String(since), '']]));
  }

  /** Signs what was looked at. */
  async thaw(since: number, digest: string): Promise<ThawView> {
    return readThaw(await this.#ask('thaw', [[String(since), digest]]));
  }

  #ask(act: string, rows: string[][] = []): Promise<string[][]> {
    return engine().call({ call: 'link_terms', name: this.node, act, rows });
  }

  async #do(act: string, rows: string[][]): Promise<void> {
    await this.#ask(act, rows);
  }
}
