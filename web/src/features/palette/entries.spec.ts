import { describe, expect, it } from 'vitest';
import { purse } from '../../state/purse.svelte';
import { entries, search, type Entry } from './entries';

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

describe('the pages', () => {
  it('have the wallet and shops, where there is money', () => {
    const shops = (): string[] => search(entries(), 'shops').map(({ key }) => key);
    purse.view = null;
    expect(shops()).toEqual([]);
    purse.view = { accounts: [], assets: [{ asset: { id: 'eur', issuer: 'home.example', code: 'EUR', scale: 2 }, title: 'Euro', backing: '', payment_max: '0', day_max: '0', issue_max: '0', issued: '0' }], pin: false, pending: [], links: [] };
    expect(shops()).toEqual(['/me/shops']);
    expect(search(entries(), 'wallet')[0]?.key).toBe('/me/wallet');
    purse.view = null;
  });
});
