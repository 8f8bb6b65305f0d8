import { expect, test } from '../support/test.ts';
import type { Person } from '../support/person.ts';

async function digits(of: Person, other: Person): Promise<string[]> {
  await of.at(`/contacts/${encodeURIComponent(other.address)}/verify`);
  const groups = of.page.getByRole('group', { name: 'Safety number' }).locator('span');
  await expect(groups).toHaveCount(12);
  return groups.allInnerTexts();
}

test('both see the same safety number, and a scanned code verifies', async ({ pair }) => {
  const [alice, bob] = await pair();
  const mine = await digits(alice, bob);
  expect(mine.join('')).toMatch(/^\d{60}$/);
  expect(await digits(bob, alice)).toEqual(mine);

  // Alice scans a photo of the code on Bob's screen: the real picture, read by the real reader.
  const code = bob.page.getByRole('img', { name: /QR code for/ });
  await expect(code).toBeVisible();
  const photo = await code.screenshot();
  const { page } = alice;
  await page.getByRole('button', { name: /Scan the code of/ }).click();
  await page.getByLabel('Choose a picture').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: photo });
  await expect(page.getByText(`You verified ${bob.displayName}`)).toBeVisible();
  await alice.openChat(bob);
  await expect(page.getByRole('main').getByLabel('Verified').first()).toBeVisible();

  // Her own code is not his.
  await digits(alice, bob);
  const own = await page.getByRole('img', { name: /QR code for/ }).screenshot();
  await page.getByRole('button', { name: 'Remove the verification' }).click();
  await expect(page.getByText(`You verified ${bob.displayName}`)).toBeHidden();
  await page.getByRole('button', { name: /Scan the code of/ }).click();
  await page.getByLabel('Choose a picture').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: own });
  await expect(page.getByRole('main').getByRole('alert')).toBeVisible();
  await expect(page.getByText(`You verified ${bob.displayName}`)).toBeHidden();

  // By eye.
  await page.getByRole('button', { name: 'The digits are equal' }).click();
  await expect(page.getByText(`You verified ${bob.displayName}`)).toBeVisible();
});

test('a picture without a code is told apart from one with', async ({ home }) => {
  const { alice } = await home(['alice']);
  await alice.at('/contacts/add');
  const { page } = alice;
  await page.getByRole('button', { name: 'Scan a code' }).click();
  const plain = await page.getByRole('dialog').screenshot();
  await page.getByLabel('Choose a picture').setInputFiles({ name: 'plain.png', mimeType: 'image/png', buffer: plain });
  await expect(page.getByText('No code was found in this picture.')).toBeVisible();
});
