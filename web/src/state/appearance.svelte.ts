import { legible } from './accent';

export type Theme = 'system' | 'light' | 'dark';

const STORED = 'weft.theme';
/** The surfaces that the accent must be read on; theme.css has the same. */
const SURFACE = { light: '#fffdf9', dark: '#1c1a17' };

/** Light or dark, and the accent of the node. */
class Appearance {
  theme = $state<Theme>('system');

  start(): void {
    const stored = localStorage.getItem(STORED);
    if (stored === 'light' || stored === 'dark') this.theme = stored;
    this.#mark();
  }

  set(theme: Theme): void {
    this.theme = theme;
    if (theme === 'system') localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, theme);
    this.#mark();
  }

  /** The operator may choose any colour: it is bent until it can be read in both schemes. */
  accent(colour: string): void {
    if (!/^#[0-9a-f]{6}$/i.test(colour)) return;
    const { style } = document.documentElement;
    style.setProperty('--accent-light', legible(colour, SURFACE.light));
    style.setProperty('--accent-dark', legible(colour, SURFACE.dark));
  }

  #mark(): void {
    if (this.theme === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = this.theme;
  }
}

export const appearance = new Appearance();
