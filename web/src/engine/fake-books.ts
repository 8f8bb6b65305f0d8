/** Signed days for the fake world: as many as there is money, all in order; with `flaw` in the address, not. */
import type { BooksDayView } from '../wire/BooksDayView';
import type { FakeEngine } from './fake';
import { ME } from './fake';
import type { Entry, FakeBank } from './fake-wallet';

const DAY_MS = 24 * 3_600_000;
const PAGE = 10;

export function answerBooks(engine: FakeEngine, bank: FakeBank, query: URLSearchParams): FakeEngine {
  const dayOf = (entry: Entry): number => Math.floor(entry.time_ms / DAY_MS);
  const today = Math.floor(bank.now() / DAY_MS);
  const first = bank.entries.length > 0 ? Math.min(...bank.entries.map(dayOf)) : today;
  const upTo = (day: number): Entry[] => bank.entries.filter((entry) => entry.state === 'done' && dayOf(entry) <= day);
  const balance = (who: string, asset: string, day: number): bigint =>
    upTo(day).filter((entry) => entry.asset === asset).reduce((sum, entry) => sum + (entry.to === who ? entry.amount : 0n) - (entry.from === who ? entry.amount : 0n), 0n);
  const signed = (day: number): BooksDayView => {
    const sums = bank.assets().map(({ asset }) => ({ asset: asset.id, issued: (-balance('node', asset.id, day)).toString(), abroad: '0', own: '0', held: (-balance('node', asset.id, day)).toString() }));
    const flaw = query.has('flaw') && day === today - 2 ? 'changed' : null;
    return { day, flaw, events: upTo(day).length - upTo(day - 1).length, witnesses: day % 3 === 0 ? [] : ['elsewhere.example', 'garden.example'], sums };
  };
  return engine
    .on('books', ({ before }) => {
      const newest = (before ?? today) - 1;
      const days = Array.from({ length: PAGE }, (_, at) => newest - at).filter((day) => day >= first);
      return { days: days.map(signed), more: newest - PAGE >= first };
    })
    .on('books_own', ({ day }) => ({
      day,
      accounts: bank.assetsOf().map((asset) => ({
        asset: bank.asset(asset),
        flaw: query.has('flaw') && day === today - 1 ? 'sums' : null,
        balance: balance(ME, asset, day).toString(),
        entries: bank.entries.filter((entry) => entry.asset === asset && dayOf(entry) === day && (entry.from === ME || entry.to === ME)).length,
      })),
    }))
    .on('books_line', ({ id }) => {
      const day = dayOf(bank.entry(id));
      return { day: day < today ? day : null, flaw: null };
    });
}
