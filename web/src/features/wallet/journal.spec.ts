import { describe, expect, it } from 'vitest';
import type { HistoryLineView } from '../../wire/HistoryLineView';
import { toJournal } from './journal';
import { close } from './statement';

const EUR = { code: 'EUR', scale: 2 };
const START = Date.UTC(2026, 0, 1);
const HOUR = 3_600_000;

function line(number: number, part: Partial<HistoryLineView> = {}): HistoryLineView {
  return { number, transfer: `t${number}`, time_ms: START + number * HOUR, purpose: 'payment', credit: true, amount: '100', other: { user: 'bob@home.example', name: 'Bob' }, shop: null, packet: null, refunds: null, refunded: '0', state: 'done', until_ms: null, ...part };
}

interface Entry {
  head: string;
  postings: { account: string; minor: bigint; balance: bigint | null }[];
}

/** An independent reader of the journal: blank lines part the entries, two spaces the account from its amount. */
function read(journal: string): Entry[] {
  const minor = (text: string): bigint => BigInt(text.replace('.', '').replace(/ (EUR|"P2")$/, ''));
  const blocks = journal.split(/\n\n+/).map((block) => block.trimEnd().split('\n')).filter(([head]) => /^\d/.test(head ?? ''));
  return blocks.map(([head = '', ...rows]) => ({
    head,
    postings: rows.map((row) => {
      const [account = '', sums = ''] = row.trim().split(/ {2,}/);
      const [change = '', after] = sums.split(' = ');
      return { account, minor: minor(change), balance: after === undefined ? null : minor(after) };
    }),
  }));
}

describe('a journal', () => {
  const lines = [
    line(9, { credit: false, amount: '250', shop: 'Evil; shop\n2026-01-01 * theft', other: { user: 'corner@home.example', name: 'Corner' } }),
    line(8, { state: 'held', amount: '77' }),
    line(7, { credit: false, amount: '40', state: 'returned' }),
    line(6, { purpose: 'issue', other: null, amount: '5000' }),
    line(3, { amount: '30', settled_ms: START + 8.5 * HOUR }),
  ];
  const statement = close(lines, 5_000n - 250n + 30n + 11n, START, START + 24 * HOUR);

  it('adds up as hledger adds it up', () => {
    const entries = read(toJournal(statement, EUR));
    expect(entries.map(({ head }) => head.split('  ')[0])).toEqual(['2026-01-01 * opening balance', '2026-01-01 * (6) issue', '2026-01-01 * (3) Bob · payment', '2026-01-01 * (9) Evil shop 2026-01-01 * theft · payment', '2026-01-01 * closing balance']);
    let balance = 0n;
    for (const { head, postings } of entries) {
      expect(postings.reduce((sum, one) => sum + one.minor, 0n), head).toBe(0n);
      balance += postings[0]?.minor ?? 0n;
      expect(postings[0]?.balance, head).toBe(balance);
    }
    expect(balance).toBe(statement.closing);
    expect(balance).toBe(4_791n);
    expect(entries.flatMap(({ postings }) => postings.map(({ account }) => account))).toContain('expenses:weft:corner@home.example');
  });

  it('says what did not move any money in comments alone', () => {
    const journal = toJournal(statement, EUR);
    expect(journal).toMatch(/^; held: 0\.77 EUR/m);
    expect(journal).toMatch(/^; returned: -0\.40 EUR/m);
  });

  it('quotes what is no name of letters', () => {
    const journal = toJournal(statement, { code: 'P2', scale: 0 });
    expect(journal).toContain('commodity 1000. "P2"');
    expect(journal).toContain('assets:weft:P2  5000 "P2" = 5011 "P2"');
  });
});
