import type { Page } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { groupLink, makeGroup } from '../support/groups.ts';
import { expect, test } from '../support/test.ts';

test('an address of plain http says that it needs https, rather than nothing', async ({ person, node }) => {
  const { page } = await person('alice');
  // As a node is found in a home's network: the page is the node's, its address is one that no browser trusts.
  await page.route('http://home.lan/**', async (route) => {
    const url = route.request().url().replace('http://home.lan', node.url);
    await route.fulfill({ response: await route.fetch({ url }) });
  });
  await page.goto('http://home.lan/');
  await expect(page.getByRole('heading', { name: 'This address needs https' })).toBeVisible();
  expect(await page.evaluate(() => isSecureContext)).toBe(false);
});

for (const scheme of ['light', 'dark'] as const) {
  test(`axe finds nothing on any screen (${scheme})`, async ({ person, node }) => {
    test.slow();
    const alice = await person('alice', { colorScheme: scheme });
    const bob = await person('bob', { colorScheme: scheme, viewport: { width: 390, height: 844 } });
    const { page } = alice;
    await page.goto(node.url);
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    await clean(page, 'welcome');
    for (const path of ['/sign-up', '/sign-in', '/recover']) {
      await alice.at(path);
      await expect(page.getByRole('textbox').first()).toBeVisible();
      await clean(page, path);
    }
    await page.goto(await node.invite());
    await alice.fillSignUp();
    await expect(page.getByRole('listitem')).toHaveCount(24, { timeout: 60_000 });
    await clean(page, 'words');
    await alice.keepWords();
    await expect(page.getByRole('heading', { name: 'No chats yet' })).toBeVisible();
    await clean(page, 'no chats');
    await bob.signUp(await node.invite());
    await bob.follow(await alice.link());
    await clean(page, 'my link');
    await alice.openChat(bob);
    await alice.say('hello 😀 https://home.example/');
    await bob.say('hello back');
    await expect(alice.bubbles).toHaveCount(2);
    await clean(page, 'chat');
    await clean(bob.page, 'chat on a phone');
    await page.getByRole('button', { name: 'Emoji' }).click();
    await expect(page.getByRole('dialog', { name: 'Emoji' }).getByRole('button', { name: /grinning face/ }).first()).toBeVisible();
    await clean(page, 'emoji');
    await page.getByRole('button', { name: 'Emoji' }).click();
    await page.getByRole('button', { name: 'Details' }).click();
    await expect(page.getByRole('complementary', { name: 'Details' })).toBeVisible();
    await clean(page, 'details');
    await page.getByRole('button', { name: 'New', exact: true }).click();
    await expect(page.getByRole('menuitem', { name: 'New group' })).toBeFocused();
    await clean(page, 'menu');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await expect(page.getByRole('combobox')).toBeFocused();
    await clean(page, 'palette');
    await page.keyboard.press('Escape');
    const person_ = `/contacts/${encodeURIComponent(bob.address)}`;
    for (const path of ['/chats/new', '/contacts', '/contacts/add', person_, `${person_}/verify`, '/me', '/me/profile', '/me/appearance', '/me/devices', '/me/password', '/me/about', '/me/sign-out']) {
      await alice.at(path);
      await expect(page.getByRole('heading', { level: 1 }).last()).toBeVisible();
      await clean(page, path);
      await bob.at(path.replace(encodeURIComponent(bob.address), encodeURIComponent(alice.address)));
      await expect(bob.page.getByRole('heading', { level: 1 }).last()).toBeVisible();
      await clean(bob.page, `${path} on a phone`);
    }
  });
}

test('a whole conversation by keyboard alone', async ({ home }) => {
  const { alice, bob } = await home(['alice', 'bob']);
  await bob.follow(await alice.link());
  await alice.at('/chats');
  await bob.say('can you reach me?');
  const { page } = alice;
  const { keyboard } = page;

  await expect(page.getByRole('navigation', { name: 'Chats' })).toContainText('can you reach me?');

  // Find the person, open the chat, write.
  await keyboard.press('Control+k');
  await keyboard.type(bob.name);
  await expect(page.getByRole('option', { selected: true })).toContainText(bob.displayName);
  await keyboard.press('Enter');
  await expect(alice.composer).toBeFocused();
  await keyboard.type('yes, without a mouse');
  await keyboard.press('Enter');
  await bob.sees(['can you reach me?', 'yes, without a mouse']);

  await expect(alice.delivery('yes, without a mouse')).toHaveAttribute('data-delivery', 'read');

  // Up into the messages, answer the first one.
  await keyboard.press('Shift+Tab');
  await tabTo(page, 'log', true);
  await keyboard.press('ArrowUp');
  await keyboard.press('ArrowUp');
  await expect(page.getByRole('article').filter({ hasText: 'can you reach me?' })).toBeFocused();
  await keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: 'Reply' })).toBeFocused();
  await keyboard.press('Enter');
  await expect(alice.composer).toBeFocused();
  await keyboard.type('quite well');
  await keyboard.press('Enter');
  await expect(bob.log.locator('.reply')).toContainText('can you reach me?');

  // An emoji.
  await tabTo(page, 'button:Emoji', true);
  await keyboard.press('Enter');
  await expect(page.getByRole('searchbox', { name: 'Search emoji' })).toBeFocused();
  await keyboard.type('tulip');
  await expect(page.getByRole('dialog', { name: 'Emoji' }).getByRole('button', { name: /tulip/i }).first()).toBeVisible();
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  await keyboard.press('Escape');
  await expect(alice.composer).toBeFocused();
  await keyboard.press('Enter');
  await expect(bob.bubbles.last()).toHaveText('🌷');

  // Every stop of Tab can be seen.
  for (let stop = 0; stop < 12; stop += 1) {
    await keyboard.press('Tab');
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return true;
      const style = getComputedStyle(element);
      return element.matches(':focus-visible') && (style.outlineStyle !== 'none' || style.boxShadow !== 'none' || style.borderColor !== '');
    });
    expect(seen).toBe(true);
  }
  // Escape leads back to the list.
  await alice.composer.focus();
  await keyboard.press('Escape');
  await expect(page.getByRole('heading', { name: 'Choose a chat' })).toBeVisible();
});

/** Presses Tab until an element of this role (`role` or `role:name`) has the focus. */
async function tabTo(page: Page, wanted: string, back = false): Promise<void> {
  const [role, name] = wanted.split(':');
  for (let stop = 0; stop < 20; stop += 1) {
    const here = await page.evaluate(() => `${document.activeElement?.getAttribute('role') ?? document.activeElement?.localName}:${document.activeElement?.getAttribute('aria-label')}`);
    if (here.startsWith(`${role}:`) && (!name || here === wanted)) return;
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
  }
  throw new Error(`Tab does not reach ${wanted}`);
}

test('whatever a finger presses is large enough to be hit', async ({ home }) => {
  test.slow();
  const { alice, bob } = await home(['alice', 'bob'], { options: { alice: { hasTouch: true, isMobile: true, viewport: { width: 390, height: 844 } } } });
  await bob.follow(await alice.link());
  const { page } = alice;
  await makeGroup(alice, 'Orchard', [bob]);
  await large(page, 'chat');
  await alice.at('/chats');
  await expect(page.getByRole('heading', { level: 1, name: 'Chats' })).toBeVisible();
  await large(page, 'list');
  await alice.openRow('Orchard');
  await alice.showDetails();
  await large(page, 'group');
  await alice.details.getByRole('button', { name: new RegExp(bob.displayName) }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await large(page, 'member');
  await page.keyboard.press('Escape');
  await groupLink(alice);
  await large(page, 'link');
  await alice.at('/chats/new');
  await page.getByRole('checkbox', { name: new RegExp(bob.displayName) }).check();
  await large(page, 'new group');
});

/** A finger needs 44 px; a link in a line of text needs no more than its line. */
async function large(page: Page, screen: string): Promise<void> {
  const small = await page.evaluate(() => {
    const within = document.querySelector('dialog[open]') ?? document;
    const shown = [...within.querySelectorAll('a, button, textarea, input, label')].filter((element) => element.checkVisibility({ visibilityProperty: true }) && !element.closest('p, label :not(label), .bubble'));
    const targets = shown.filter((element) => element.tagName === 'LABEL' ? element.querySelector('input') : !element.closest('label'));
    return targets.flatMap((element) => {
      const { width, height } = element.getBoundingClientRect();
      return width > 0 && Math.min(width, height) < 44 ? [`${element.ariaLabel ?? element.textContent?.trim()} ${Math.round(width)}×${Math.round(height)}`] : [];
    });
  });
  expect(small, screen).toEqual([]);
}
