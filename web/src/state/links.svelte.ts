import type { CallOf } from '../engine/calls';
import { engine } from './engine';
import { errorCode } from './errors';
import type { LinkAssetView, SettlementView } from '../engine/links';

export type { LinkAssetView, LinkLineView, SettlementView } from '../engine/links';

/** The rows of a table of the node, by what is in them: `SettlementList::table` of the wire. */
export function readSettlements(table: string[][]): SettlementView[] {
  return table.map(([id = '', ours, code = '', amount = '', against, note = '', state = '', why, at, until]) => ({ id, ours: ours === '1', code, amount, against: against || null, note, state, why: why || null, time_ms: Number(at), until_ms: Number(until) }));
}

/** The same of `LinkStatement::table`. */
export function readStatement(table: string[][]): LinkAssetView[] {
  const assets: LinkAssetView[] = [];
  for (const [what, one = '', two = '', three = '', four = '', five = '', six = '', seven = ''] of table) {
    const last = assets.at(-1);
    if (what === 'asset') assets.push({ code: one, issuer: two, opening: three, closing: four, sums: [], lines: [], whole: five === '1' });
    else if (what === 'sum') last?.sums.push([one, Number(two), three, four]);
    else if (what === 'line') last?.lines.push({ time_ms: Number(one), kind: two, id: three, more: four === '1', amount: five, owed: six, text: seven });
  }
  return assets;
}

/** What this node and another have settled, and their statement: asked for while its page is open, and kept nowhere. */
export class Link {
  value = $state.raw<SettlementView[] | null>(null);
  /** Code of what went wrong when it was asked for last. */
  failed = $state<string | null>(null);
  busy = $state(false);

  constructor(readonly node: string) {}

  async load(): Promise<void> {
    this.busy = true;
    try {
      this.value = readSettlements(await engine().call({ call: 'settlements', name: this.node }));
      this.failed = null;
    } catch (error) {
      this.failed = errorCode(error) ?? 'internal';
    } finally {
      this.busy = false;
    }
  }

  async settle(wish: Omit<CallOf<'settle'>, 'call' | 'name'>): Promise<void> {
    await engine().call({ call: 'settle', name: this.node, ...wish });
    await this.load();
  }

  /** `amount`: what has come; none: it is not so. */
  async decide(id: string, amount: string | null): Promise<void> {
    await engine().call({ call: 'decide_settlement', id, name: this.node, accept: amount !== null, amount: amount ?? '' });
    await this.load();
  }

  async statement(from: number, until: number): Promise<LinkAssetView[]> {
    return readStatement(await engine().call({ call: 'link_statement', name: this.node, from_ms: from, until_ms: until }));
  }
}
