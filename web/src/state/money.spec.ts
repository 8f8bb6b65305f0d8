import { describe, expect, it } from 'vitest';
import { editAmount, formatAmount, formatCompact, formatNumber, formatSigned, mayBecome, MINOR_MAX, parseAmount, plainDecimal } from './money';

const read = (text: string, scale: number, locale: string): bigint | string => {
  const parsed = parseAmount(text, scale, locale);
  return parsed.error ?? parsed.minor;
};
const EUR = { code: 'EUR', scale: 2 };

describe('an amount that is typed', () => {
  it.each<[string, number, string, bigint | string]>([
    ['12.34', 2, 'en', 1234n],
    ['12', 2, 'en', 1200n],
    ['12.', 2, 'en', 1200n],
    ['.5', 2, 'en', 50n],
    ['0.01', 2, 'en', 1n],
    ['007', 2, 'en', 700n],
    ['0.001', 8, 'en', 100_000n],
    ['0,125', 3, 'de', 125n],
    ['10.001', 8, 'de', 1_000_100_000_000n],
    ['1,234.50', 2, 'en', 123_450n],
    ['1234.50', 2, 'en', 123_450n],
    ['1,234,567', 0, 'en', 1_234_567n],
    ['1.234,50', 2, 'de', 123_450n],
    ['1234,5', 2, 'de', 123_450n],
    ['1 234,50', 2, 'fr', 123_450n],
    ['1\u202f234,50', 2, 'fr', 123_450n],
    ["1'234.50", 2, 'de-CH', 123_450n],
    ['12,34,567.8', 2, 'en-IN', 123_456_780n],
    // The keys of a phone in another language.
    ['12,34', 2, 'en', 1234n],
    ['0,5', 2, 'en', 50n],
    [',50', 2, 'zh', 50n],
    ['1.234,50', 2, 'en', 123_450n],
    ['12.34', 2, 'de', 1234n],
    ['1,234.50', 2, 'de', 123_450n],
    ['12.34', 2, 'fr', 1234n],
    // What the own language writes as thousands are thousands.
    ['1,234', 2, 'en', 123_400n],
    ['1.234', 2, 'de', 123_400n],
    ['１２．３４', 2, 'zh', 1234n],
    ['12。34', 2, 'zh', 1234n],
    ['  12.34\n', 2, 'en', 1234n],
    // Spaces of every width are thousands in every language.
    ['1 000', 2, 'en', 100_000n],
    ['1\u2009000\u2009000.50', 2, 'en', 100_000_050n],
    ['1\u202f234,50', 2, 'de', 123_450n],
    ['12\u00a0345', 0, 'zh', 12_345n],
    ["1'234.50", 2, 'en', 123_450n],
    ['18446744073709551615', 0, 'en', MINOR_MAX],
    ['0.000000000001', 12, 'en', 1n],
  ])('%j with %i decimals in %s', (text, scale, locale, minor) => expect(read(text, scale, locale)).toBe(minor));

  it.each<[string, number, string, string]>([
    ['', 2, 'en', 'empty'],
    [' ', 2, 'en', 'empty'],
    ['1,2345.00', 2, 'en', 'format'],
    ['1234,567', 2, 'en', 'format'],
    ['1.234', 2, 'fr', 'format'],
    ['1.234', 3, 'fr', 'format'],
    // No thousands begin with 0, and the mark is not the one of the decimals here.
    ['0.001', 8, 'de', 'format'],
    ['0,125', 3, 'en', 'format'],
    ['0,125', 2, 'en', 'format'],
    ['00.125', 3, 'de', 'format'],
    ['012,345', 2, 'en', 'format'],
    ['0.125.000', 2, 'de', 'format'],
    ['-0,125', 3, 'en', 'format'],
    ['0 125', 3, 'fr', 'format'],
    ["0'125", 3, 'de-CH', 'format'],
    ['0,125.50', 2, 'en', 'format'],
    ['0.125,50', 2, 'en', 'format'],
    ['12,34,5', 2, 'en', 'format'],
    [',123', 2, 'en', 'format'],
    ['1,,234', 2, 'en', 'format'],
    ['1.234.5', 2, 'en', 'format'],
    ['1.2,3', 2, 'en', 'format'],
    ['.', 2, 'en', 'format'],
    ['1e5', 2, 'en', 'format'],
    ['0x10', 2, 'en', 'format'],
    ['NaN', 2, 'en', 'format'],
    ['Infinity', 2, 'en', 'format'],
    ['12 EUR', 2, 'en', 'format'],
    ['1 2', 2, 'en', 'format'],
    ['--1', 2, 'en', 'format'],
    ['+1', 2, 'en', 'format'],
    ['١٢', 2, 'en', 'format'],
    ['1.234', 2, 'en', 'decimals'],
    ['1.230', 2, 'en', 'decimals'],
    ['1.0', 0, 'en', 'decimals'],
    ['0', 2, 'en', 'zero'],
    ['0.00', 2, 'en', 'zero'],
    ['-1', 2, 'en', 'negative'],
    ['−12.34', 2, 'en', 'negative'],
    ['18446744073709551616', 0, 'en', 'too_large'],
    ['184467440737095516.16', 2, 'en', 'too_large'],
    ['9'.repeat(59), 2, 'en', 'too_large'],
    ['9'.repeat(5_000), 2, 'en', 'too_large'],
  ])('%j with %i decimals in %s is refused as %s', (text, scale, locale, error) => expect(read(text, scale, locale)).toBe(error));

  it.each<[string, string, string, bigint | string]>([
    ['5 EUR', 'EUR', 'en', 500n],
    ['5eur', 'EUR', 'en', 500n],
    ['EUR 5', 'EUR', 'en', 500n],
    ['€1,234.50', 'EUR', 'en', 123_450n],
    ['1 234,50 €', 'EUR', 'fr', 123_450n],
    ['1.234,50\u00a0EUR', 'EUR', 'de', 123_450n],
    ['$5', 'USD', 'en', 500n],
    ['US$5', 'USD', 'zh', 500n],
    ['￥5', 'CNY', 'zh', 500n],
    ['5元', 'CNY', 'zh', 500n],
    ['5 POINT2', 'POINT2', 'en', 500n],
    ['-5 EUR', 'EUR', 'en', 'negative'],
    ['EUR', 'EUR', 'en', 'format'],
    ['EUR 5 EUR', 'EUR', 'en', 'format'],
    ['5 EURO', 'EUR', 'en', 'format'],
    ['$5', 'EUR', 'en', 'format'],
    ['5 USD', 'EUR', 'en', 'format'],
    ['5 POINT', 'POINT2', 'en', 'format'],
    ['0 €', 'EUR', 'en', 'zero'],
    ['', 'EUR', 'en', 'empty'],
  ])('%j of %s in %s, with what it is of, is %s', (text, code, locale, wanted) => {
    const parsed = parseAmount(text, 2, locale, code);
    expect(parsed.error ?? parsed.minor).toBe(wanted);
  });

  it('is wrong as soon as nothing that follows can mend it, and not before', () => {
    const may = (text: string, locale = 'en', code = 'EUR'): boolean => mayBecome(text, 2, locale, code);
    for (const text of ['.', ',', '1,', '1,2', '1,23', '1 ', '1 0', '1 00', '1,234,5', '12,34,5', 'E', 'eu', 'EUR', 'EUR ', '€', '5 ', '5 E', '5 eu', '5e', '-']) expect(may(text, text === '12,34,5' ? 'en-IN' : 'en'), text).toBe(true);
    for (const text of ['x', '5x', '5 X', 'EX', '1,2345,', '1,,', '1.2.', '1.2,', '12,34,5', '--', '+', '$', '5 $', '5 EURO', '1 2 3', '1 0000', '0x', '1e5']) expect(may(text), text).toBe(false);
    for (const text of ['1.', '1.23', '1.234,', '1.234.', '5 €']) expect(may(text, 'de'), text).toBe(true);
    for (const text of ['1.2345.', '1,2.', '1,2,']) expect(may(text, 'de'), text).toBe(false);
  });

  it('is what was shown, for every amount, scale and locale', () => {
    const amounts = [1n, 9n, 10n, 99n, 100n, 12_345n, 999_999n, 1_000_000n, 10n ** 12n, MINOR_MAX - 1n, MINOR_MAX];
    // A fixed walk through the range, so that a fault is found again.
    for (let step = 0n, at = 7n; step < 40n; step += 1n) amounts.push((at = (at * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) % MINOR_MAX) + 1n);
    for (const locale of ['en', 'en-GB', 'en-IN', 'zh', 'zh-TW', 'de', 'de-CH', 'fr', 'es', 'pl']) {
      for (const scale of [0, 1, 2, 3, 8, 12]) {
        for (const minor of amounts) {
          expect(read(formatNumber(minor, scale, locale), scale, locale), `${minor} ${scale} ${locale}`).toBe(minor);
          expect(read(editAmount(minor, scale, locale), scale, locale), `${minor} ${scale} ${locale}`).toBe(minor);
          expect(read(plainDecimal(minor, scale), scale, 'en')).toBe(minor);
          expect(parseAmount(formatAmount(minor, { code: 'EUR', scale }, locale), scale, locale, 'EUR').minor, `${minor} ${scale} ${locale}`).toBe(minor);
        }
      }
    }
  });
});

describe('an amount that is shown', () => {
  it('has all its decimals, and digits beyond what a float keeps', () => {
    expect(formatAmount('1234', EUR, 'en')).toBe('12.34\u00a0EUR');
    expect(formatAmount('5', EUR, 'en')).toBe('0.05\u00a0EUR');
    expect(formatAmount(-5n, EUR, 'en')).toBe('-0.05\u00a0EUR');
    expect(formatAmount('1234567890', EUR, 'de')).toBe('12.345.678,90\u00a0EUR');
    expect(formatAmount(MINOR_MAX, EUR, 'en')).toBe('184,467,440,737,095,516.15\u00a0EUR');
    expect(formatAmount('1500', { code: 'POINT', scale: 0 }, 'en')).toBe('1,500\u00a0POINT');
  });

  it('says its direction in a history', () => {
    expect(formatSigned('1234', true, EUR, 'en')).toBe('+12.34\u00a0EUR');
    expect(formatSigned('1234', false, EUR, 'en')).toBe('−12.34\u00a0EUR');
  });

  it('is short beside a chart, and plain in a file', () => {
    expect(formatCompact('123400', EUR, 'en', 'en')).toBe('1.23K');
    expect(formatCompact('123400', EUR, 'en', 'de')).toBe('1,23K');
    expect(formatCompact('1234000', EUR, 'zh', 'zh')).toBe('1.23万');
    expect(plainDecimal('-123400', 2)).toBe('-1234.00');
    expect(plainDecimal(-5n, 2)).toBe('-0.05');
    expect(plainDecimal(0n, 0)).toBe('0');
  });
});
