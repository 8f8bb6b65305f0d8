import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BrowserContext } from '@playwright/test';
import { groupLink, makeGroup, tell } from './support/groups.ts';
import type { Person } from './support/person.ts';
import { expect, test } from './support/two.ts';

const folder = join(import.meta.dirname, '../../docs/screenshots');
test.use({ plainNames: true });

const desktop = { width: 1280, height: 800 };
const phone = { width: 390, height: 844 };

async function signUpAs(person: Person, name: string, link: string): Promise<void> {
  const { page } = person;
  await page.goto(link);
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.getByLabel('User name').fill(person.name);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill('a long walk by the river');
  await page.getByRole('button', { name: 'Create account' }).click();
  await person.keepWords();
  await person.inside();
}

async function picture(person: Person, name: string): Promise<void> {
  await person.page.evaluate(() => document.fonts.ready.then(() => undefined));
  await expect(person.page.locator('.toast')).toHaveCount(0);
  await person.page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', caret: 'hide' });
}

/** Desktop and phone on one picture, as the README shows them. */
async function overview(context: BrowserContext): Promise<void> {
  const image = async (name: string): Promise<string> => `data:image/png;base64,${(await readFile(join(folder, `${name}.png`))).toString('base64')}`;
  const page = await context.newPage();
  await page.setViewportSize({ width: 1600, height: 880 });
  await page.setContent(`<style>
    body { margin: 0; background: #e9e1d5; }
    img { position: absolute; border-radius: 14px; box-shadow: 0 18px 50px rgb(60 45 20 / 28%); }
  </style>
  <img src="${await image('chat-desktop')}" style="left: 40px; top: 40px; width: 1152px">
  <img src="${await image('chat-phone-dark')}" style="right: 40px; bottom: 40px; width: 340px; border-radius: 28px">`);
  await page.screenshot({ path: join(folder, 'overview.png') });
  await page.close();
}

test('pictures for the README', async ({ person, node }) => {
  test.slow();
  const anna = await person('anna', { viewport: desktop, colorScheme: 'light' });
  const ming = await person('xiaoming', { viewport: phone, colorScheme: 'dark' });
  const rosa = await person('rosa', { viewport: phone, colorScheme: 'light' });
  await signUpAs(anna, 'Anna', await node.invite());
  await signUpAs(ming, '王小明', await node.invite());
  await rosa.page.goto(await anna.link());
  await expect(rosa.page.getByRole('heading', { level: 1 })).toContainText('Anna');
  await picture(rosa, 'welcome-phone');
  await signUpAs(rosa, 'Rosa', await node.invite());
  const link = await anna.link();
  await rosa.follow(link);
  await ming.follow(link);

  await rosa.say('The table in the garden is free on Sunday.');
  await anna.openChat(rosa);
  await expect(anna.bubbles).toHaveCount(1);
  await anna.say('Then I bring the plum cake 🥧');
  await expect(rosa.bubbles).toHaveCount(2);

  await anna.openChat(ming);
  const talk: [Person, string][] = [
    [ming, 'Shall we meet at the market on Saturday?'],
    [anna, '好啊，几点？'],
    [ming, '十点可以。我带咖啡 ☕'],
    [anna, 'Perfect. Here is the place: https://market.example/old-town'],
    [ming, '😄'],
    [ming, 'If it clears up we can walk along the river afterwards.'],
    [anna, 'Yes, let us. I will be at the north gate.'],
  ];
  for (const [index, [who, text]] of talk.entries()) {
    await who.say(text);
    await expect(anna.bubbles).toHaveCount(index + 1);
    await expect(ming.bubbles).toHaveCount(index + 1);
  }
  await expect(anna.delivery('north gate')).toHaveAttribute('data-delivery', 'read');
  await picture(anna, 'chat-desktop');
  await picture(ming, 'chat-phone-dark');
  await overview(rosa.context);

  await anna.page.emulateMedia({ colorScheme: 'dark' });
  await anna.page.getByRole('button', { name: 'Details' }).click();
  await expect(anna.page.getByRole('complementary', { name: 'Details' })).toBeVisible();
  await picture(anna, 'details-desktop-dark');
  await anna.page.emulateMedia({ colorScheme: 'light' });
  await anna.page.getByRole('button', { name: 'Emoji' }).click();
  await expect(anna.page.getByRole('dialog', { name: 'Emoji' }).getByRole('button', { name: /grinning face/ }).first()).toBeVisible();
  await picture(anna, 'emoji-desktop');

  await ming.at(`/contacts/${encodeURIComponent(anna.address)}/verify`);
  await ming.page.emulateMedia({ colorScheme: 'light' });
  await expect(ming.page.getByRole('group', { name: 'Safety number' })).toBeVisible();
  await picture(ming, 'safety-phone');
  await ming.at('/me/appearance');
  await ming.page.getByText('中文', { exact: true }).click();
  await ming.at('/chats');
  await expect(ming.page.getByRole('heading', { name: '聊天' })).toBeVisible();
  await picture(ming, 'list-phone-zh');
});

test('pictures of groups', async ({ person, node }) => {
  test.slow();
  // The node is the one of the pictures above, and their people are still there.
  const greta = await person('greta', { viewport: desktop, colorScheme: 'light' });
  const xinyi = await person('xinyi', { viewport: phone, colorScheme: 'dark' });
  const clara = await person('clara', { viewport: phone, colorScheme: 'light' });
  const bruno = await person('bruno', { viewport: phone, colorScheme: 'light' });
  for (const [someone, name] of [[greta, 'Greta'], [xinyi, '李欣怡'], [clara, 'Clara'], [bruno, 'Bruno']] as const) await signUpAs(someone, name, await node.invite());
  const contact = await greta.link();
  for (const guest of [clara, xinyi]) await guest.follow(contact);

  await greta.at('/chats/new');
  await greta.page.getByLabel('Group name').fill('Summer festival');
  for (const name of [/Clara/, /李欣怡/]) await greta.page.getByRole('checkbox', { name }).check();
  await greta.page.setViewportSize(phone);
  await picture(greta, 'group-new-phone');
  await greta.page.setViewportSize(desktop);
  await greta.page.getByRole('button', { name: 'Create group' }).click();
  await expect(greta.page.getByRole('heading', { level: 1, name: 'Summer festival' })).toBeVisible();
  for (const guest of [clara, xinyi]) await guest.openRow('Summer festival');
  const talk: [Person, string][] = [
    [greta, 'Who brings the long tables this year?'],
    [xinyi, '我有三张，够吗？'],
    [clara, 'I have two more in the cellar. And the lanterns 🏮'],
    [greta, 'Then we are set. The gate is open from four o’clock.'],
  ];
  for (const [index, [who, text]] of talk.entries()) {
    await who.say(text);
    for (const someone of [greta, xinyi, clara]) await expect(someone.bubbles).toHaveCount(index + 1);
  }
  await expect(greta.delivery('four o’clock')).toHaveAttribute('data-delivery', 'read');
  await tell(greta, clara, 'Make admin');
  await expect(greta.details.getByText('Admin', { exact: true })).toBeVisible();
  await picture(greta, 'group-desktop');
  await picture(xinyi, 'group-phone-dark');

  const link = await groupLink(greta);
  await greta.page.setViewportSize(phone);
  await picture(greta, 'group-link-phone');
  await greta.page.setViewportSize(desktop);
  await bruno.at(new URL(link).hash.slice(1));
  await expect(bruno.page.getByRole('button', { name: 'Ask to join' })).toBeVisible();
  await picture(bruno, 'group-join-phone');
  await bruno.page.getByRole('button', { name: 'Ask to join' }).click();
  await greta.openRow('Summer festival');
  await greta.page.getByRole('main').getByRole('link', { name: '1 person asks to join' }).click();
  await greta.page.emulateMedia({ colorScheme: 'dark' });
  await expect(greta.details.getByRole('article', { name: /^Request from/ })).toBeVisible();
  await picture(greta, 'group-asking-desktop-dark');
});

test('pictures of other nodes', async ({ two }) => {
  test.slow();
  const { alice, bob, home } = two;
  await makeGroup(alice, 'Between the gardens', [bob]);
  await alice.at('/me/nodes');
  await expect(alice.page.getByRole('main').getByRole('button', { name: /Connected/ })).toBeVisible();
  await alice.page.setViewportSize(desktop);
  await picture(alice, 'nodes-desktop');
  await alice.page.getByRole('main').getByRole('button', { name: /Connected/ }).click();
  await alice.page.setViewportSize(phone);
  await alice.page.emulateMedia({ colorScheme: 'dark' });
  await expect(alice.page.getByRole('dialog')).toBeVisible();
  await picture(alice, 'node-phone-dark');

  // Bob's node keeps what he writes for the one that orders the group.
  await home.halt();
  await bob.openRow('Between the gardens');
  await bob.say('The seedlings are on their way');
  await expect(bob.log.getByRole('paragraph').filter({ hasText: /^Waiting for \S+/ })).toBeVisible();
  await bob.page.setViewportSize(phone);
  await picture(bob, 'waiting-phone');
});
