import { describe, expect, it } from 'vitest';
import type { LinkAssetView } from '../../../state/links.svelte';
import { gotFor } from '../exchange';
import { choiceOf, linkCsv, scaleOf } from './links';

const part: LinkAssetView = {
  code: 'EUR',
  issuer: 'home.example',
  opening: '30.00',
  closing: '17.50',
  sums: [['settlement', 1, '0.00', '12.50']],
  lines: [{ time_ms: 0, kind: 'settlement', id: '09', more: false, amount: '12.50', owed: '17.50', text: '=1+1, "RF18"' }],
  whole: true,
};

describe('the statement of a link as a table', () => {
  it('has a row for each line, and what others wrote is no formula', () => {
    expect(linkCsv([part])).toBe(
      'asset,issuer,time,kind,id,more,less,owed,text\r\n' +
        'EUR,home.example,,opening,,,,30.00,\r\n' +
        'EUR,home.example,1970-01-01T00:00:00.000Z,settlement,09,,12.50,17.50,"\'=1+1, ""RF18"""\r\n' +
        'EUR,home.example,,closing,,,,17.50,\r\n',
    );
  });

  it('has the sums where the lines are too many', () => {
    expect(linkCsv([{ ...part, whole: false, lines: [] }])).toContain('EUR,home.example,,settlement,,0.00,12.50,,1\r\n');
  });
});

describe('amounts of links', () => {
  it('have as many decimals as their asset', () => {
    expect([scaleOf('500.00'), scaleOf('40')]).toEqual([2, 0]);
    const { asset, available } = choiceOf({ code: 'EUR', ours: true, owed: '128.40', limit: '500.00' });
    expect([asset.scale, available]).toEqual([2, '12840']);
  });

  it('become what the other gets, rounded down', () => {
    const get = { id: 'usd', issuer: 'away.example', code: 'USD', scale: 2 };
    const rate = { give: 'eur', get, numerator: '109', denominator: '100', rate: '1.09' };
    expect([gotFor(1_200n, rate), gotFor(1n, rate)]).toEqual([1_308n, 1n]);
    expect(gotFor(1n, { ...rate, numerator: '1', denominator: '2' })).toBeNull();
    expect(gotFor(2n ** 64n - 1n, rate)).toBeNull();
  });
});
