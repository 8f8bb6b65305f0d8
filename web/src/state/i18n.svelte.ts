import { overwriteGetLocale } from '$messages/runtime';

export type Locale = 'en' | 'zh';
export type Language = Locale | 'system';

const STORED = 'weft.language';

function systemLocale(languages: readonly string[]): Locale {
  for (const language of languages) {
    if (language.startsWith('zh')) return 'zh';
    if (language.startsWith('en')) return 'en';
  }
  return 'en';
}

/** The language of the interface. Messages read {@link locale}, so a change redraws what stands on the screen. */
class I18n {
  language = $state<Language>('system');
  #system = $state<Locale>('en');
  #regions = $state.raw<readonly string[]>([]);
  readonly locale: Locale = $derived(this.language === 'system' ? this.#system : this.language);

  /** For dates, times and other words: the language of the interface as the person's region writes it (`en-GB`, `zh-TW`). English of no region is not that of the US. */
  readonly tag: string = $derived(this.#regions.find((tag) => tag.startsWith(`${this.locale}-`)) ?? (this.locale === 'en' ? 'en-GB' : this.locale));

  /** For numbers and money: the person's first language, whatever the texts are in. A German reads `1.234` as a thousand and more. */
  readonly region: string = $derived(this.#regions[0] ?? this.locale);

  start(): void {
    this.#regions = navigator.languages;
    this.#system = systemLocale(navigator.languages);
    const stored = localStorage.getItem(STORED);
    if (stored === 'en' || stored === 'zh') this.language = stored;
    overwriteGetLocale(() => this.locale);
    this.#mark();
  }

  set(language: Language): void {
    this.language = language;
    if (language === 'system') localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, language);
    this.#mark();
  }

  /** Screen readers choose their voice, and browsers their CJK font, by this. */
  #mark(): void {
    document.documentElement.lang = this.locale === 'zh' ? 'zh-Hans' : 'en';
  }
}

export const i18n = new I18n();
