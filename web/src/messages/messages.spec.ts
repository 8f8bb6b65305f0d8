import { describe, expect, it } from 'vitest';
import en from './en.json';
import zh from './zh.json';

const placeholders = (message: unknown): string[] => [...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? [])].sort();

describe('the languages', () => {
  it('have the same messages', () => expect(Object.keys(zh)).toEqual(Object.keys(en)));

  it('name the same things in each message', () => {
    for (const [key, message] of Object.entries(en)) expect(placeholders((zh as Record<string, unknown>)[key]), key).toEqual(placeholders(message));
  });

  it('are translated', () => {
    const same = Object.entries(en).filter(([key, message]) => key !== '$schema' && message === (zh as Record<string, unknown>)[key]);
    expect(same).toEqual([]);
  });
});
