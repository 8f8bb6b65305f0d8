import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import type { Person } from '../support/person.ts';

const web = join(import.meta.dirname, '../../../web');
const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.html': 'text/html', '.wasm': 'application/wasm', '.json': 'application/json', '.svg': 'image/svg+xml' };

/** The UI with every English text lengthened and bracketed: what is not bracketed was not translated. */
async function buildPseudo(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-pseudo-'));
  const messages = JSON.parse(await readFile(join(web, 'src/messages/en.json'), 'utf8')) as Record<string, unknown>;
  const stretch = (text: string): string => `⟦${text.replaceAll(/\{\w+\}|[aeiou]/g, (part) => (part.startsWith('{') ? part : part + part))}⟧`;
  const change = (value: unknown): unknown => {
    if (typeof value === 'string') return stretch(value);
    if (!Array.isArray(value)) return value;
    return value.map((variant: { match: Record<string, string> }) => ({ ...variant, match: Object.fromEntries(Object.entries(variant.match).map(([key, text]) => [key, stretch(text)])) }));
  };
  const pseudo = Object.fromEntries(Object.entries(messages).map(([key, value]) => [key, key === '$schema' ? value : change(value)]));
  const project = join(folder, 'project.inlang');
  await mkdir(join(folder, 'messages'), { recursive: true });
  await cp(join(web, 'project.inlang/settings.json'), join(project, 'settings.json'));
  const settings = JSON.parse(await readFile(join(project, 'settings.json'), 'utf8')) as Record<string, unknown>;
  const plugin = join(folder, 'plugin.js');
  await cp(join(web, 'node_modules/@inlang/plugin-message-format/dist/index.js'), plugin);
  await writeFile(join(project, 'settings.json'), JSON.stringify({ ...settings, modules: ['./plugin.js'], 'plugin.inlang.messageFormat': { pathPattern: './messages/{locale}.json' } }));
  await writeFile(join(folder, 'messages/en.json'), JSON.stringify(pseudo));
  await cp(join(web, 'src/messages/zh.json'), join(folder, 'messages/zh.json'));
  const env = { ...process.env, WEFT_MESSAGES: project, WEFT_DIST: join(folder, 'dist') };
  await promisify(execFile)('npx', ['vite', 'build', '--logLevel', 'error'], { cwd: web, env });
  return folder;
}

/** Serves the files of that build in place of the node's own, under the node's own headers. */
async function dress(person: Person, dist: string): Promise<void> {
  const { headers } = await fetch(person.node);
  const policy = headers.get('content-security-policy') ?? '';
  await person.context.route(/^[^?]*$/, async (route) => {
    const { pathname } = new URL(route.request().url());
    if (pathname.startsWith('/api/')) return route.fallback();
    const file = join(dist, pathname === '/' ? 'index.html' : pathname);
    try {
      await route.fulfill({ body: await readFile(file), headers: { 'content-type': types[extname(file)] ?? 'application/octet-stream', 'content-security-policy': policy, 'cross-origin-embedder-policy': 'require-corp' } });
    } catch {
      await route.fallback();
    }
  });
}

/** Texts that are cut off although nothing says that they may be, and things that stick out of the window. */
async function misfits(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    for (const element of document.querySelectorAll<HTMLElement>('button, a, label, h1, h2, p, legend')) {
      const style = getComputedStyle(element);
      const box = element.getBoundingClientRect();
      if (box.width <= 1 || style.visibility === 'hidden' || element.closest('[role=log], .sr-only')) continue;
      if (box.right > innerWidth + 1 || box.left < -1) found.push(`outside: ${element.innerText.slice(0, 40)}`);
      if (element.scrollWidth > element.clientWidth + 1 && style.overflowX === 'visible' && style.display !== 'inline') found.push(`too narrow: ${element.innerText.slice(0, 40)}`);
    }
    return found;
  });
}

/** Words on the screen that no message file knows. Names, addresses and what people wrote are not messages. */
async function untranslated(page: Page, allowed: RegExp): Promise<string[]> {
  const texts = await page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!parent || parent.closest('script, noscript, time, .meta, .day, .bubble, [aria-hidden=true], .suffix, [translate=no], .digits')) continue;
      found.push(node.textContent?.trim() ?? '');
    }
    for (const element of document.querySelectorAll('[aria-label], [placeholder], [title]')) for (const name of ['aria-label', 'placeholder', 'title']) if (!element.closest('.meta, article')) found.push(element.getAttribute(name) ?? '');
    return found;
  });
  return [...new Set(texts)].filter((text) => /\p{L}{2}/u.test(text) && !text.includes('⟦') && !text.includes('⟧') && !allowed.test(text));
}

test('longer words fit everywhere, and none is left untranslated', async ({ person, node }) => {
  const folder = await buildPseudo();
  try {
    const alice = await person('alice', { serviceWorkers: 'block', viewport: { width: 390, height: 844 } });
    const bob = await person('bob');
    await bob.signUp(await node.invite());
    const link = await bob.link();
    await dress(alice, join(folder, 'dist'));
    const { page } = alice;
    const names = new RegExp(`${alice.name}|${bob.name}|home\\.example|Lindenhof|Weft \\d|中文|English|http`, 'i');
    const look = async (screen: string): Promise<void> => {
      expect(await misfits(page), screen).toEqual([]);
      expect(await untranslated(page, names), screen).toEqual([]);
    };
    await page.goto(link);
    await expect(page.getByRole('heading', { level: 1 })).toContainText('⟦');
    await look('welcome');
    for (const path of ['/sign-in', '/recover', '/sign-up']) {
      await alice.at(path);
      await expect(page.getByRole('textbox').first()).toBeVisible();
      await look(path);
    }
    await page.getByRole('textbox').nth(0).fill(alice.name);
    await page.getByRole('textbox').nth(1).fill(alice.displayName);
    await page.getByRole('textbox').nth(2).fill('a long walk by the river');
    await page.locator('form button[type=submit]').click();
    await expect(page.getByRole('listitem')).toHaveCount(24, { timeout: 60_000 });
    await look('words');
    await page.getByRole('button', { name: '⟦Doo thiis laateer⟧' }).click();
    await expect(page.getByRole('log')).toBeVisible();
    await look('chat');
    const bobAt = `/contacts/${encodeURIComponent(bob.address)}`;
    for (const path of ['/chats', '/chats/new', '/contacts', '/contacts/add', '/contacts/link', bobAt, `${bobAt}/verify`, '/me', '/me/profile', '/me/appearance', '/me/devices', '/me/phrase', '/me/about', '/me/sign-out']) {
      await alice.at(path);
      await expect(page.getByRole('heading', { level: 1 }).filter({ visible: true }).last()).toBeVisible();
      await look(path);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('Chinese is complete, and fits a phone', async ({ person, node }) => {
  const alice = await person('alice', { locale: 'zh-CN', viewport: { width: 390, height: 844 } });
  const { page } = alice;
  await page.goto(await node.invite());
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('欢迎来到 Lindenhof');
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-Hans');
  await page.getByRole('button', { name: '创建账号' }).click();
  await page.getByLabel('用户名').fill(alice.name);
  await page.getByLabel('你的名字').fill('王小明');
  await page.getByLabel('密码', { exact: true }).fill('河边的长长的散步路线图');
  await page.getByRole('button', { name: '创建账号' }).click();
  await page.getByRole('button', { name: '稍后再说' }).click({ timeout: 60_000 });
  for (const path of ['/chats', '/chats/new', '/contacts', '/contacts/add', '/contacts/link', '/me', '/me/nodes', '/me/profile', '/me/appearance', '/me/devices', '/me/about', '/me/sign-out']) {
    await alice.at(path);
    await expect(page.getByRole('heading', { level: 1 }).filter({ visible: true }).last()).toBeVisible();
    expect(await misfits(page), path).toEqual([]);
    const latin = (await page.locator('body').innerText()).match(/[A-Za-z]{3,}[ ][A-Za-z]{3,}/g) ?? [];
    expect(latin, path).toEqual([]);
  }
  // English at once, without a reload.
  await alice.at('/me/appearance');
  await page.getByText('English', { exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Appearance' })).toBeVisible();
});
