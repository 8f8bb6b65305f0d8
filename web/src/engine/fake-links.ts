/** What the small world settles with other servers. As strict as the node. */
import { fail, type FakeEngine } from './fake';
import type { FakeDesk } from './fake-bank';
import type { LinkAssetView, SettlementView } from './links';

export class FakeLinks {
  readonly settlements = new Map<string, SettlementView[]>();
  statement: LinkAssetView[] = [];

  of(node: string): SettlementView[] {
    return this.settlements.get(node) ?? [];
  }

  put(node: string, settlement: SettlementView): void {
    this.settlements.set(node, [settlement, ...this.of(node).filter(({ id }) => id !== settlement.id)]);
  }
}

/** The other operator has said that they have paid so much. */
export function said(id: string, amount: string, part: Partial<SettlementView> = {}): SettlementView {
  return { id, ours: false, code: 'EUR', amount, against: null, note: 'RF18 5390 0754 7034', state: 'waiting', why: null, time_ms: 1_795_219_200_000, until_ms: 1_795_824_000_000, ...part };
}

/** Answers the calls about links, for the owner. */
export function answerLinks(engine: FakeEngine, desk: FakeDesk, links: FakeLinks): FakeEngine {
  return engine
    .on('settlements', ({ name }) => links.of(name).map((one) => [one.id, one.ours ? '1' : '', one.code, one.amount, one.against ?? '', one.note, one.state, one.why ?? '', String(one.time_ms), String(one.until_ms)]))
    .on('settle', ({ id, name, code, amount, against, note }) => {
      const owed = desk.links.find(({ node }) => node === name)?.owed.find((one) => one.ours && one.code === code);
      if (!owed) throw fail('not_found');
      if (Number(amount) > Number(owed.owed)) throw fail('link_limit');
      links.put(name, said(id, amount, { ours: true, code, note, against: against === null ? null : `${amount} ${against}` }));
      return undefined;
    })
    .on('decide_settlement', ({ id, name, accept, amount }) => {
      const one = links.of(name).find((known) => known.id === id && !known.ours);
      if (!one) throw fail('not_found');
      if (one.state !== 'waiting') throw fail('already_decided');
      if (accept && amount !== one.amount) throw fail('invalid_field', 'amount');
      links.put(name, { ...one, state: accept ? 'done' : 'rejected' });
      return undefined;
    })
    .on('link_statement', () =>
      links.statement.flatMap(({ code, issuer, opening, closing, sums, lines, whole }) => [
        ['asset', code, issuer, opening, closing, whole ? '1' : ''],
        ...sums.map(([kind, count, more, less]) => ['sum', kind, String(count), more, less]),
        ...lines.map((line) => ['line', String(line.time_ms), line.kind, line.id, line.more ? '1' : '', line.amount, line.owed, line.text]),
      ]),
    );
}
