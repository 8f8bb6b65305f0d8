/** What the small world settles with other servers. As strict as the node. */
import { fail, type FakeEngine } from './fake';
import type { FakeDesk } from './fake-bank';
import type { LinkAssetView, SettlementView } from './links';

export class FakeLinks {
  readonly settlements = new Map<string, SettlementView[]>();
  statement: LinkAssetView[] = [];
  /** What the node tells of terms, as it tells it. */
  readonly terms = new Map<string, string[][]>();
  /** What follows where payments stand still: a digest, and lines. */
  thaw: string[] = ['d0', 'EUR@home.example: 30.00 owed in these books, 30.00 from then on'];
  /** How much of what it would bring in that needs an approver. */
  guarded: string | null = null;

  of(node: string): SettlementView[] {
    return this.settlements.get(node) ?? [];
  }

  /** Puts terms in front of those that there are. */
  offer(node: string, standing: string, digest: string, limit: string, rest: string[][] = []): void {
    const [head = ['link', '', '', ''], ...known] = this.terms.get(node) ?? [];
    const signed = [standing === 'asked' ? '' : 'aa'.repeat(64), standing === 'offered' ? '' : 'bb'.repeat(64)];
    const time = standing === 'in_force' || standing === 'past' ? '1795219200000' : '';
    this.terms.set(node, [head, ['terms', standing, digest, '1', '604800000', time, ...signed], ['asset', 'EUR', '', '2', limit], ...rest, ...known]);
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
    .on('link_terms', ({ name, act, rows }) => {
      const known = links.terms.get(name) ?? [['link', '', '', '']];
      const stand = (one: string): string[] | undefined => known.find(([what, standing]) => what === 'terms' && standing === one);
      if (act === 'terms') return known;
      if (act === 'offer') {
        if (rows[0]?.[1] !== (stand('in_force')?.[2] ?? '')) throw fail('conflict', 'terms_moved');
        const limit = rows.find(([what]) => what === 'asset')?.[4] ?? stand('in_force')?.[4] ?? '0.00';
        links.offer(name, 'offered', `o${known.length}`, limit);
      } else if (act === 'accept') {
        const asked = stand('asked');
        if (!asked || asked[2] !== rows[0]?.[0]) throw fail('not_found', 'offer');
        for (const row of known) if (row[1] === 'in_force') row[1] = 'past';
        asked.splice(1, 7, 'in_force', asked[2] ?? '', '2', '604800000', '1795219200000', 'aa'.repeat(64), 'bb'.repeat(64));
      } else if (act === 'withdraw') {
        const offered = stand('offered');
        if (!offered) throw fail('not_found', 'offer');
        offered[1] = 'withdrawn';
      } else if (act === 'freeze') {
        links.terms.set(name, [['link', 'the operator has frozen it', '1795219200000', ''], ...known.slice(1)]);
      } else {
        const [digest = '', ...lines] = links.thaw;
        const named = rows[0]?.[1] ?? '';
        if (named && named !== digest) throw fail('conflict', 'thaw_moved');
        if (named && links.guarded) throw fail('conflict', 'guarded');
        if (named) links.terms.set(name, [['link', known[0]?.[1] ?? '', known[0]?.[2] ?? '', '1'], ...known.slice(1)]);
        return [['thaw', digest, named ? '1' : '', ''], ...(links.guarded ? [['guarded', links.guarded]] : []), ...lines.map((line) => ['line', line])];
      }
      return [];
    })
    .on('link_statement', () =>
      links.statement.flatMap(({ code, issuer, opening, closing, sums, lines, whole }) => [
        ['asset', code, issuer, opening, closing, whole ? '1' : ''],
        ...sums.map(([kind, count, more, less]) => ['sum', kind, String(count), more, less]),
        ...lines.map((line) => ['line', String(line.time_ms), line.kind, line.id, line.more ? '1' : '', line.amount, line.owed, line.text]),
      ]),
    );
}
