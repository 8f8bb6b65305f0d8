import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions } from '@playwright/test';
import { Node } from './node.ts';
import { Person } from './person.ts';
import { readRows, writeRows, type Row } from './rows.ts';
import { Tap } from './tap.ts';

/** A page of the node without the app: no engine runs there. */
const STILL = 'manifest.webmanifest';

/** A browser of somebody's own, all of whose network goes through a tap. */
export async function browserOf(browser: Browser, name: string, url: string, options: BrowserContextOptions = {}): Promise<Person> {
  const tap = await Tap.open(url);
  const context = await browser.newContext({ ...options, proxy: { server: tap.url, bypass: '<-loopback>' } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write', 'camera']);
  return new Person(name, context, await context.newPage(), tap, url);
}

/**
 * A node and people who have signed up there, as they were when they had just done so. Stories that begin after that begin with a
 * copy: what the node keeps on its disk, and what each of them keeps in the browser.
 */
export class Cast {
  readonly #folder: string;
  readonly #kept: ReadonlyMap<string, { rows: Row[]; words: string[] }>;

  private constructor(folder: string, kept: ReadonlyMap<string, { rows: Row[]; words: string[] }>) {
    this.#folder = folder;
    this.#kept = kept;
  }

  /** They sign up as anybody does; the first owns the node. */
  static async make(browser: Browser, names: readonly string[]): Promise<Cast> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-cast-'));
    const node = await Node.start({ WEFT_STORAGE__DATA: join(folder, 'data') });
    const kept = new Map<string, { rows: Row[]; words: string[] }>();
    try {
      for (const name of names) {
        const person = await browserOf(browser, name, node.url);
        await person.signUp(await node.invite());
        await person.page.goto(`${node.url}/${STILL}`);
        kept.set(name, { rows: await person.page.evaluate(readRows), words: person.words });
        await person.context.close();
        await person.tap.close();
      }
    } finally {
      await node.stop();
    }
    return new Cast(folder, kept);
  }

  /** Their node, as it was. It goes away with `stop`. */
  async start(settings: Record<string, string> = {}): Promise<Node> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-copy-'));
    await cp(join(this.#folder, 'data'), join(folder, 'data'), { recursive: true });
    const node = await Node.start({ ...settings, WEFT_STORAGE__DATA: join(folder, 'data') });
    node.onStopped = () => rm(folder, { recursive: true, force: true });
    return node;
  }

  /** Somebody sits down before their browser, and the app is open. */
  async enter(person: Person): Promise<void> {
    const kept = this.#kept.get(person.name);
    if (!kept) throw new Error(`${person.name} is not in the cast`);
    person.words = kept.words;
    await person.page.goto(`${person.node}/${STILL}`);
    await person.page.evaluate(writeRows, kept.rows);
    await person.page.goto(person.node);
    await person.inside();
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
