import { describe, expect, it } from 'vitest';
import { onlyEmoji, parts, trim } from './links';

const urls = (text: string): string[] => parts(text).flatMap((part) => (part.kind === 'link' ? [part.text] : []));
const odd = (text: string): boolean => parts(text).some((part) => part.kind === 'link' && part.odd);

describe('links in what people write', () => {
  it.each([
    ['see https://a.example/x?y=1#z.', ['https://a.example/x?y=1#z']],
    ['(https://a.example/b_(c)), and www.b.example!', ['https://a.example/b_(c)', 'www.b.example']],
    ['看这里https://a.example/路，很好', ['https://a.example/路']],
    ['“https://a.example”', ['https://a.example']],
    ['javascript:alert(1) data:text/html,x ftp://a.example', []],
    ['no.links@here.example 1.2', []],
    ['https://', []],
  ])('%s', (text, found) => expect(urls(text)).toEqual(found));

  it('lose nothing of the text', () => {
    const text = 'a https://a.example/, b www.c.example。\n\nend';
    expect(parts(text).map((part) => part.text).join('')).toBe(text);
  });

  it('are doubted when text and target may differ', () => {
    expect(odd('https://bank.example/login')).toBe(false);
    expect(odd('www.bank.example')).toBe(false);
    expect(odd('https://BANK.example')).toBe(false);
    expect(odd('https://bank.example@evil.example/')).toBe(true);
    expect(odd('https://b\u0430nk.example/')).toBe(true);
    expect(odd('https://bank.example/\u202egro')).toBe(true);
  });

  it('do not make a long text slow', () => {
    const begun = performance.now();
    parts(`${'http://a.'.repeat(2_000)} ${'('.repeat(1_000)}`);
    expect(performance.now() - begun).toBeLessThan(500);
  });
});

describe('hostile marks behind an address', () => {
  // Together, so that a slow machine is told from a slow way: what was cubic took minutes for one of them.
  it('cost one look each', () => {
    const begun = performance.now();
    for (const marks of [')', '(', '((((()))))', ').', '.', ']})', '_', '(.)']) {
      const address = `https://a.example/${marks.repeat(Math.ceil(100_000 / marks.length))}`;
      expect(trim(address).startsWith('https://a.example/')).toBe(true);
      expect(parts(address.slice(0, 20_000)).map((part) => part.text).join('')).toBe(address.slice(0, 20_000));
    }
    expect(performance.now() - begun).toBeLessThan(2_000);
  });

  it.each([
    ['https://a.example/x)))', 'https://a.example/x'],
    ['https://a.example/(x)))', 'https://a.example/(x)'],
    ['https://a.example/((x)', 'https://a.example/((x)'],
    ['https://a.example/[x].).', 'https://a.example/[x]'],
    ['https://a.example/x).]}?!', 'https://a.example/x'],
    ['https://a.example/(x.)', 'https://a.example/(x.)'],
  ])('%s', (written, kept) => expect(trim(written)).toBe(kept));
});

describe('emoji alone', () => {
  it.each(['😀', '👩‍👩‍👧‍👦', '🇨🇳🇩🇪', '👍🏽 ❤️', '1️⃣'])('%s is shown large', (text) => expect(onlyEmoji(text)).toBe(true));
  it.each(['', 'a 😀', '123', '#', '😀😀😀😀', '好'])('"%s" is not', (text) => expect(onlyEmoji(text)).toBe(false));
});
