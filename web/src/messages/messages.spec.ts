import { describe, expect, it } from 'vitest';
import en from './en.json';
import enText from './en.json?raw';
import zh from './zh.json';
import zhText from './zh.json?raw';

const placeholders = (message: unknown): string[] => [...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? [])].sort();

/** Keys that stand twice in an object: of those, reading takes the last one and says nothing. */
function doubled(text: string): string[] {
  const open: Set<string>[] = [];
  const found: string[] = [];
  for (const [token, key] of text.matchAll(/"((?:[^"\\]|\\.)*)"\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (key !== undefined) {
      if (open.at(-1)?.has(key)) found.push(key);
      open.at(-1)?.add(key);
    }
  }
  return found;
}

describe('the languages', () => {
  it.each([['en', enText], ['zh', zhText]])('have each message once: %s', (_, text) => expect(doubled(text)).toEqual([]));

  it('would be caught having one twice', () => {
    expect(doubled('{"a": "b", "b": "\\"a\\": {", "a": [{"a": 1}, {"a": 2, "c": 1, "c": 2}]}')).toEqual(['a', 'c']);
  });

  it('have the same messages', () => expect(Object.keys(zh)).toEqual(Object.keys(en)));

  it('name the same things in each message', () => {
    for (const [key, message] of Object.entries(en)) expect(placeholders((zh as Record<string, unknown>)[key]), key).toEqual(placeholders(message));
  });

  it('are translated', () => {
    const same = Object.entries(en).filter(([key, message]) => key !== '$schema' && message === (zh as Record<string, unknown>)[key]);
    expect(same).toEqual([]);
  });
});
