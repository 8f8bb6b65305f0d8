import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator } from '@playwright/test';
import { groupLink, makeGroup } from '../support/groups.ts';
import type { Person } from '../support/person.ts';
import { expect, test as base } from '../support/test.ts';

/** The browser's camera films a file, which is written once there is something to film. */
const test = base.extend<object, { film: string }>({
  film: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'weft-film-'));
      await use(join(folder, 'film.mjpeg'));
      await rm(folder, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
  browser: [
    async ({ playwright, film }, use, info) => {
      const options = info.project.use.launchOptions ?? {};
      const browser = await playwright.chromium.launch({ ...options, args: [...(options.args ?? []), `--use-file-for-fake-video-capture=${film}`] });
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
});

/** Holds a code on somebody's screen in front of the camera: a little askew, on a table. */
async function show(owner: Person, code: Locator, film: string): Promise<void> {
  await expect(code).toBeVisible();
  const picture = (await code.screenshot()).toString('base64');
  const stage = await owner.context.newPage();
  await stage.setViewportSize({ width: 640, height: 480 });
  await stage.setContent(`<body style="margin:0;display:grid;place-content:center;height:100vh;background:#7a6a58"><img style="width:400px;transform:rotate(4deg)" src="data:image/png;base64,${picture}">`);
  const frame = await stage.screenshot({ type: 'jpeg', quality: 85 });
  await stage.close();
  await writeFile(film, Buffer.concat(Array.from({ length: 30 }, () => frame)));
}

test('a code in front of the camera is read, and leads to the person', async ({ person, node, film }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.signUp(await node.invite());
  await bob.signUp(await node.invite());
  await bob.link();
  await show(bob, bob.page.getByRole('img', { name: 'QR code of your link' }), film);

  await alice.at('/contacts/add');
  const { page } = alice;
  await page.getByRole('button', { name: 'Scan a code' }).click();
  await expect(page.getByText(bob.address)).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('main').getByRole('button', { name: 'Add contact' }).click();
  await alice.say('found you');
  await bob.openChat(alice);
  await bob.sees(['found you']);
});

test('the code of a group in front of the camera leads into it', async ({ person, node, film }) => {
  const [alice, bob] = [await person('alice'), await person('bob')];
  await alice.signUp(await node.invite());
  await bob.signUp(await node.invite());
  await makeGroup(alice, 'Orchard', []);
  await groupLink(alice, false);
  await show(alice, alice.details.getByRole('img', { name: 'QR code of the group’s link' }), film);

  await bob.at('/contacts/add/scan');
  const { page } = bob;
  await expect(page.getByText('Orchard')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'Ask to join' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Orchard' })).toBeVisible({ timeout: 60_000 });
  await bob.say('found you');
  await alice.sees(['found you']);
});
