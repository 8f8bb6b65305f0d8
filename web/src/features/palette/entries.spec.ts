import { describe, expect, it } from 'vitest';
import { search, type Entry } from './entries';

const entry = (title: string, detail = ''): Entry => ({ key: title, title, detail, user: null, run: () => undefined });
const all = [entry('Robert', 'bob@home.example'), entry('José Álvarez'), entry('王小明', 'xiaoming@home.example'), entry('Appearance')];
const found = (query: string): string[] => search(all, query).map((one) => one.title);

describe('the search', () => {
  it('shows everything before anything is typed', () => expect(found('')).toHaveLength(4));
  it('does not mind case and accents', () => expect(found('jose alv')).toEqual(['José Álvarez']));
  it('finds Chinese by any part', () => expect(found('小明')).toEqual(['王小明']));
  it('finds by address', () => expect(found('xiaom')).toEqual(['王小明']));
  it('puts beginnings first', () => expect(found('a')[0]).toBe('Appearance'));
});
