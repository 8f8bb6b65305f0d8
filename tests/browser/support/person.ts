import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';
import type { Tap } from './tap.ts';

export const PASSWORD = 'a long walk by the river';

/** Somebody with a browser of their own. */
export class Person {
  readonly name: string;
  readonly context: BrowserContext;
  readonly page: Page;
  readonly tap: Tap;
  readonly node: string;
  /** What the browser refused or complained about. Has to stay empty. */
  readonly complaints: string[] = [];
  words: string[] = [];

  constructor(name: string, context: BrowserContext, page: Page, tap: Tap, node: string) {
    this.name = name;
    this.context = context;
    this.page = page;
    this.tap = tap;
    this.node = node;
    this.watch(page);
  }

  /** As others read it: `Alice`. */
  get displayName(): string {
    return this.name.charAt(0).toUpperCase() + this.name.slice(1);
  }

  get address(): string {
    return `${this.name}@home.example`;
  }

  /** Another tab of the same browser; whatever is complained about there is here as well. */
  async tab(): Promise<Person> {
    const tab = new Person(this.name, this.context, await this.context.newPage(), this.tap, this.node);
    this.watch(tab.page);
    await tab.page.goto(this.node);
    return tab;
  }

  watch(page: Page): void {
    page.on('pageerror', (error) => this.complaints.push(`${error.message}`));
    page.on('console', (line) => {
      if (/content security policy|trusted ?type|refused to/i.test(line.text())) this.complaints.push(line.text());
    });
  }

  /** Goes to a place of the app without loading it anew. */
  async at(path: string): Promise<void> {
    await this.page.evaluate((to) => (location.hash = to), path);
  }

  async fillSignUp(password = PASSWORD): Promise<void> {
    const { page } = this;
    await page.getByRole('button', { name: 'Create account' }).click();
    await page.getByLabel('User name').fill(this.name);
    await page.getByLabel('Your name').fill(this.displayName);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Create account' }).click();
  }

  /** By a link, up to the first look at the chats; the 24 words are written down and checked. */
  async signUp(link: string): Promise<void> {
    const { page } = this;
    await page.goto(link);
    await this.fillSignUp();
    await this.keepWords();
    await this.inside();
  }

  async keepWords(): Promise<void> {
    const { page } = this;
    const list = page.getByRole('listitem');
    await expect(list).toHaveCount(24, { timeout: 60_000 });
    this.words = await list.locator('[translate=no]').allInnerTexts();
    await page.getByRole('button', { name: 'I have written them down' }).click();
    for (const field of await page.getByRole('textbox', { name: /^Word \d+$/ }).all()) {
      const number = Number(/\d+/.exec((await field.getAttribute('aria-label')) ?? (await page.locator(`label[for="${await field.getAttribute('id')}"]`).innerText()))?.[0]);
      await field.fill(this.words[number - 1] ?? '');
    }
    await page.getByRole('button', { name: 'Check' }).click();
  }

  /** The chats are there. */
  async inside(): Promise<void> {
    await expect(this.page.getByRole('navigation', { name: 'Sections' }).first()).toBeVisible({ timeout: 60_000 });
  }

  async signIn(password = PASSWORD): Promise<void> {
    const { page } = this;
    await page.goto(`${this.node}/#/sign-in`);
    await page.getByLabel('User name').fill(this.name);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  /** The link that this person gives away. */
  async link(): Promise<string> {
    await this.at('/contacts/link');
    const field = this.page.getByRole('textbox', { name: 'My link and code' });
    await expect(field).toHaveValue(/#\/i\//);
    return field.inputValue();
  }

  /** Opens a link while signed in, and agrees. */
  async follow(link: string): Promise<void> {
    await this.at(new URL(link).hash.slice(1));
    await this.page.getByRole('main').getByRole('button', { name: 'Add contact' }).click();
    await expect(this.composer).toBeVisible();
  }

  /** Gives a link or an address to the page that reads them. */
  async paste(text: string): Promise<void> {
    await this.at('/contacts/add');
    await this.page.getByLabel('Link or address').fill(text);
    await this.page.getByRole('button', { name: 'Continue' }).click();
  }

  /** By its row in the list of chats, under the name that it has there. */
  async openRow(title: string): Promise<void> {
    await this.at('/chats');
    await this.page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: title }).click();
  }

  async openChat(other: Person): Promise<void> {
    await this.at(`/contacts/${encodeURIComponent(other.address)}`);
    await this.page.getByRole('main').getByRole('button', { name: 'Message' }).click();
    await expect(this.composer).toBeVisible();
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message', exact: true });
  }

  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
  }

  /** The column beside the chat. */
  get details(): Locator {
    return this.page.getByRole('complementary', { name: 'Details' });
  }

  async showDetails(): Promise<void> {
    if (!(await this.details.isVisible())) await this.page.getByRole('button', { name: 'Details' }).click();
    await expect(this.details).toBeVisible();
  }

  get log(): Locator {
    return this.page.getByRole('log');
  }

  /** The bubbles of the open chat, in order, without system lines. */
  get bubbles(): Locator {
    return this.log.locator('.bubble .text');
  }

  async sees(texts: string[]): Promise<void> {
    await expect(this.bubbles).toHaveText(texts);
  }

  /** How far one's own message has come. */
  delivery(text: string): Locator {
    return this.log.getByRole('article').filter({ hasText: text }).locator('[data-delivery]');
  }
}
