import { describe, expect, it } from 'vitest';
import type { HistoryLineView } from '../../wire/HistoryLineView';
import { byMonth, effect, kindOf, lastMonths, refundable, stateText, wants } from './history';

const BOB = { user: 'bob@home.example', name: 'Bob' };
const line = (part: Partial<HistoryLineView> = {}): HistoryLineView => ({ number: 1, transfer: 't', time_ms: 0, purpose: 'transfer', credit: true, amount: '1000', other: BOB, shop: null, packet: null, refunds: null, refunded: '0', state: 'done', until_ms: null, ...part });
const on = (year: number, month: number, day: number, part: Partial<HistoryLineView> = {}): HistoryLineView => line({ time_ms: new Date(year, month - 1, day, 12).getTime(), ...part });

describe('a line of the history', () => {
  it.each<[Partial<HistoryLineView>, string]>([
    [{}, 'person'],
    [{ purpose: 'payment' }, 'person'],
    [{ purpose: 'refund', refunds: 'x' }, 'refund'],
    [{ purpose: 'issue', other: null }, 'node'],
    [{ purpose: 'redeem', other: null, credit: false }, 'node'],
    [{ purpose: 'red packet', other: null, packet: 'p' }, 'packet'],
    [{ purpose: 'packet_claim', other: null, packet: 'p' }, 'packet'],
    [{ purpose: 'back from a red packet', other: null }, 'packet'],
    [{ purpose: 'of tomorrow', other: null }, 'node'],
  ])('%j is of kind %s', (part, kind) => expect(kindOf(line(part))).toBe(kind));

  it('moves money once it is done', () => {
    expect(effect(line())).toBe(1_000n);
    expect(effect(line({ credit: false }))).toBe(-1_000n);
    for (const state of ['held', 'returned', 'expired']) expect(effect(line({ state }))).toBe(0n);
  });

  it('says how it stands where that is not as one expects', () => {
    expect(stateText(line())).toBeNull();
    expect(stateText(line({ state: 'held' }))).not.toBe(stateText(line({ state: 'held', credit: false })));
    expect(stateText(line({ refunded: '1' }))).not.toBe(stateText(line({ refunded: '1000' })));
  });

  it('can be given back as far as it was not yet, if a person paid it', () => {
    expect(refundable(line())).toBe(1_000n);
    expect(refundable(line({ refunded: '400' }))).toBe(600n);
    expect(refundable(line({ refunded: '1000' }))).toBe(0n);
    expect(refundable(line({ credit: false }))).toBe(0n);
    expect(refundable(line({ state: 'held' }))).toBe(0n);
    expect(refundable(line({ purpose: 'refund', refunds: 'x' }))).toBe(0n);
    expect(refundable(line({ purpose: 'issue', other: null }))).toBe(0n);
    expect(refundable(line({ purpose: 'from a red packet', other: null, packet: 'p' }))).toBe(0n);
  });

  it('is found by its way and its kind', () => {
    expect(wants(line(), { way: 'in', kind: 'all' })).toBe(true);
    expect(wants(line(), { way: 'out', kind: 'all' })).toBe(false);
    expect(wants(line(), { way: 'all', kind: 'packet' })).toBe(false);
    expect(wants(line({ credit: false, packet: 'p' }), { way: 'out', kind: 'packet' })).toBe(true);
  });
});

describe('months', () => {
  const lines = [on(2026, 3, 2), on(2026, 3, 1, { credit: false, amount: '300' }), on(2026, 3, 1, { amount: '9999', state: 'held' }), on(2026, 1, 31, { amount: '5' }), on(2025, 12, 31, { credit: false, amount: '7' })];

  it('stand with their lines, in order, and add up what is settled', () => {
    const months = byMonth(lines, false);
    expect(months.map((month) => [new Date(month.start).getMonth() + 1, month.lines.length, month.credit, month.debit])).toEqual([
      [3, 3, 1_000n, 300n],
      [1, 1, 5n, 0n],
      [12, 1, 0n, 7n],
    ]);
  });

  it('have no sum yet while older lines of them may come', () => {
    expect(byMonth(lines, true).map((month) => month.whole)).toEqual([true, true, false]);
    // What was sent long before stands where it was accepted.
    const late = on(2025, 1, 2, { settled_ms: new Date(2025, 11, 30).getTime(), settled_by: 9 });
    expect(byMonth([...lines.slice(0, -1), late], true).map((month) => month.whole)).toEqual([true, true, false]);
    expect(byMonth(lines, false).map((month) => month.whole)).toEqual([true, true, true]);
    expect(byMonth([], true)).toEqual([]);
  });

  it('count a line when the money went over, and have it where it counts', () => {
    const late = on(2026, 1, 31, { transfer: 'late', amount: '20', settled_ms: new Date(2026, 1, 1, 9).getTime() });
    const sent = [on(2026, 3, 2), on(2026, 1, 31, { transfer: 'after', amount: '5' }), late, on(2026, 1, 30, { amount: '1' })];
    expect(byMonth(sent, false).map((month) => [new Date(month.start).getMonth() + 1, month.lines.map((one) => one.transfer), month.credit])).toEqual([
      [3, ['t'], 1_000n],
      [2, ['late'], 20n],
      [1, ['after', 't'], 6n],
    ]);
    const chart = lastMonths(sent, new Date(2026, 2, 31).getTime(), 3);
    expect(chart.map((month) => month.credit)).toEqual([6n, 20n, 1_000n]);
  });

  it('are twelve in the chart, also where nothing happened, and none beyond', () => {
    const now = new Date(2026, 2, 31, 23).getTime();
    const chart = lastMonths([...lines, on(2025, 3, 31, { amount: '1' })], now);
    expect(chart).toHaveLength(12);
    expect(chart.map((month) => month.credit)).toEqual([0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 5n, 0n, 1_000n]);
    expect(chart.map((month) => month.debit)).toEqual([0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 7n, 0n, 0n, 300n]);
  });
});
