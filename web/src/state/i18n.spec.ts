import { afterEach, describe, expect, it, vi } from 'vitest';
import { i18n } from './i18n.svelte';

afterEach(() => {
  vi.restoreAllMocks();
  i18n.set('system');
  i18n.start();
});

function started(...languages: string[]): string {
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(languages);
  i18n.start();
  return i18n.tag;
}
const written = (): string => new Intl.DateTimeFormat(i18n.tag, { dateStyle: 'short', timeStyle: 'short', timeZone: 'UTC' }).format(Date.UTC(2026, 10, 23, 12, 46));

describe('dates', () => {
  it('in English are those of the browser’s English', () => {
    expect(started('de-DE', 'de', 'en-US', 'en')).toBe('en-US');
    expect(started('en-AU')).toBe('en-AU');
  });

  it('in English where the browser has none have the day first, and 24 hours', () => {
    for (const languages of [['de-DE', 'de'], ['de-DE', 'en'], []]) {
      expect(started(...languages), languages.join()).toBe('en-GB');
      expect(written()).toBe('23/11/2026, 12:46');
    }
  });

  it('in Chinese are those of the region', () => {
    expect(started('zh-TW', 'en-US')).toBe('zh-TW');
    expect(started('zh')).toBe('zh');
    started('de-DE', 'en-US');
    i18n.set('zh');
    expect(i18n.tag).toBe('zh');
  });
});
