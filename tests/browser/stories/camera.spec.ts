import { expect, test } from '../support/camera.ts';
import { groupLink, makeGroup } from '../support/groups.ts';

test('a code in front of the camera is read, and leads to the person', async ({ home, film }) => {
  const { alice, bob } = await home(['alice', 'bob']);
  await bob.link();
  await film.show(bob.page.getByRole('img', { name: 'QR code of your link' }));

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

test('the code of a group in front of the camera leads into it', async ({ home, film }) => {
  const { alice, bob } = await home(['alice', 'bob']);
  await makeGroup(alice, 'Orchard', []);
  await groupLink(alice, false);
  await film.show(alice.details.getByRole('img', { name: 'QR code of the group’s link' }));

  await bob.at('/contacts/add/scan');
  const { page } = bob;
  await expect(page.getByText('Orchard')).toBeVisible();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'Ask to join' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Orchard' })).toBeVisible({ timeout: 60_000 });
  await bob.say('found you');
  await alice.sees(['found you']);
});
