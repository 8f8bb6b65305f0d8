import { readFile } from 'node:fs/promises';
import type { Locator } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { byZbar, scan, shown } from '../support/codes.ts';
import { issueEuros, issueTo, PIN } from '../support/money.ts';
import { PASSWORD, type Person } from '../support/person.ts';
import { reads, TITLE } from '../support/shop.ts';
import { expect, test } from '../support/test.ts';

function dialog(person: Person): Locator {
  return person.page.getByRole('dialog');
}

/** What the wallet says that there is. */
async function has(person: Person, amount: string): Promise<void> {
  await person.at('/me/wallet');
  await expect(person.page.getByRole('group', { name: 'Accounts' })).toContainText(amount);
}

/** Types the payment PIN; whoever has none chooses it first. */
async function unlock(person: Person, first = false): Promise<void> {
  const sheet = dialog(person);
  if (first) {
    await sheet.getByLabel('New payment PIN').fill(PIN);
    await sheet.getByLabel('The same PIN again').fill(PIN);
    await sheet.getByLabel('Confirm with your account password').fill(PASSWORD);
    await sheet.getByRole('button', { name: 'Set payment PIN' }).click();
  }
  await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
}

test('alice opens a shop, bob pays by both kinds of code and by one of his own, and gets a part back', async ({ home }, info) => {
  test.slow();
  const { olga, alice, bob, carol } = await home(['olga', 'alice', 'bob', 'carol']);
  await issueEuros(olga);
  await issueTo(olga, bob, '100.00');
  await issueTo(olga, carol, '1.00');
  const shop = `${alice.name}-shop`;

  // A shop needs a name that nobody has; what is wrong is said at its field.
  await alice.at('/me/shops');
  await expect(alice.page.getByRole('heading', { name: 'No shop yet' })).toBeVisible();
  await clean(alice.page, 'no shop');
  await alice.page.getByRole('button', { name: 'Open a shop' }).click();
  await dialog(alice).getByLabel('Name of the shop').fill(TITLE);
  await expect(dialog(alice).getByLabel('Name in codes')).toHaveValue('Corner Bakery');
  await dialog(alice).getByRole('textbox', { name: 'Address', exact: true }).fill(bob.name);
  await dialog(alice).getByLabel('City').fill('Berlin');
  await dialog(alice).getByLabel('Country').fill('XQ');
  await dialog(alice).getByLabel('Kind of business').selectOption('Bakery');
  await dialog(alice).getByRole('button', { name: 'Open a shop' }).click();
  await expect(dialog(alice)).toContainText('The two letters of a country.');
  await dialog(alice).getByLabel('Country').fill('de');
  await dialog(alice).getByRole('button', { name: 'Open a shop' }).click();
  await expect(dialog(alice).getByRole('alert')).toContainText('taken');
  await clean(alice.page, 'a shop whose name is taken');
  await dialog(alice).getByRole('textbox', { name: 'Address', exact: true }).fill(shop);
  await dialog(alice).getByRole('button', { name: 'Open a shop' }).click();
  await expect(alice.page.getByRole('heading', { level: 1, name: TITLE })).toBeVisible();
  await clean(alice.page, 'an empty till');

  // The sign, on screen, as a file, and on paper.
  await alice.page.getByRole('link', { name: 'Shop sign' }).click();
  const sign = alice.page.getByRole('article', { name: 'Shop sign' });
  await expect(sign).toContainText(TITLE);
  await clean(alice.page, 'sign');
  const download = alice.page.waitForEvent('download');
  await alice.page.getByRole('button', { name: 'Download SVG' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toBe(`weft-${shop}-EUR.svg`);
  expect(await readFile(await file.path(), 'utf8')).toContain(TITLE);
  await alice.page.emulateMedia({ media: 'print' });
  await expect(sign).toBeVisible();
  await expect(alice.page.getByRole('button', { name: 'Download SVG' })).toBeHidden();
  await expect(alice.page.getByRole('navigation', { name: 'Sections' })).toBeHidden();
  await alice.page.emulateMedia({ media: 'screen' });

  // Bob pays what he types; a printed code is not vouched for, and he is told.
  let sheet = await reads(bob, sign.getByRole('img'), info);
  await expect(sheet).toContainText('Check the name.');
  await sheet.getByLabel('Amount').fill('12.50');
  await clean(bob.page, 'a printed code');
  await sheet.getByRole('button', { name: 'Pay 12.50' }).click();
  await unlock(bob, true);
  await expect(sheet).toContainText(`Paid to ${TITLE}`);
  await clean(bob.page, 'it is paid');
  await sheet.getByRole('button', { name: 'Done' }).click();

  // The till has it without a reload, and makes a code for the next one.
  await alice.page.getByRole('link', { name: 'Back' }).first().click();
  const roll = alice.page.getByRole('region', { name: 'Till roll' });
  await expect(roll.getByRole('button', { name: new RegExp(`${bob.name}.*12.50`) })).toContainText('Paid');
  const amount = alice.page.getByLabel('Amount');
  await amount.fill('8');
  await alice.page.getByLabel('Bill').fill('T-1');
  await alice.page.getByLabel('Ask for a tip').check();
  await alice.page.getByRole('button', { name: 'Charge' }).click();
  await expect(dialog(alice)).toContainText('Waiting for the customer');
  await clean(alice.page, 'a sale waits');
  const code = dialog(alice).getByRole('img', { name: 'Code for the customer' });
  const { picture } = await shown(code);
  sheet = await reads(bob, code, info);
  await expect(sheet).toContainText('was not changed on the way');
  await expect(sheet).toContainText('T-1');
  await sheet.getByText('10 %').click();
  await clean(bob.page, 'a code for one sale');
  await sheet.getByRole('button', { name: 'Pay 8.80' }).click();
  await unlock(bob);
  await expect(sheet).toContainText('8.80 EUR');
  await expect(dialog(alice)).toContainText(`Paid by ${bob.name}`);
  await expect(dialog(alice)).toContainText('8.80 EUR');
  await dialog(alice).getByRole('button', { name: 'Next customer' }).click();
  await bob.page.getByRole('button', { name: 'Done' }).click();

  // Nobody pays it again.
  await expect(await scan(bob, picture)).toContainText('Already paid');
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

  // Bob shows a code of his own, and alice types its digits.
  await bob.page.getByRole('button', { name: 'Show code' }).click();
  await dialog(bob).getByLabel('The shop may take up to').fill('20');
  await dialog(bob).getByRole('button', { name: 'Continue' }).click();
  await unlock(bob);
  await expect(dialog(bob)).toContainText('Valid for');
  const digits = await dialog(bob).locator('[data-digits]').innerText();
  expect(digits).toMatch(/^9\d{3}( \d{4}){4}$/);
  await clean(bob.page, 'a code of the payer');
  const own = await shown(dialog(bob).getByRole('img', { name: 'Your payment code' }));
  const other = await byZbar(own.picture, info);
  if (other !== null) expect(other).toBe(own.text);
  await amount.fill('5');
  await alice.page.getByRole('button', { name: 'Scan the customer' }).click();
  await dialog(alice).getByLabel('Or type its 20 digits').fill(digits);
  await dialog(alice).getByRole('button', { name: 'Take 5.00' }).click();
  await expect(dialog(alice)).toContainText(`Paid by ${bob.name}`);
  await expect(dialog(bob)).toContainText(`Paid to ${TITLE}`);
  await dialog(alice).getByRole('button', { name: 'Next customer' }).click();

  // Whoever works at no till is told what such a code is for.
  sheet = await scan(carol, own.picture);
  await expect(sheet).toContainText('You work in no shop');
  await sheet.getByRole('button', { name: 'Close' }).click();

  // A part goes back.
  await roll.getByRole('button', { name: new RegExp(`${bob.name}.*8.80`) }).click();
  await clean(alice.page, 'a sale');
  await dialog(alice).getByRole('button', { name: 'Refund' }).click();
  await dialog(alice).getByLabel('How much goes back').fill('8.81');
  await dialog(alice).getByRole('button', { name: 'Continue' }).click();
  await expect(dialog(alice).getByLabel('How much goes back')).toBeFocused();
  await dialog(alice).getByLabel('How much goes back').fill('3.80');
  await dialog(alice).getByRole('button', { name: 'Continue' }).click();
  await unlock(alice, true);
  await expect(dialog(alice)).toHaveCount(0);
  await expect(roll.getByRole('button', { name: /8\.80/ })).toContainText('Partly refunded');
  await expect(roll.getByRole('group', { name: 'Today' })).toContainText('22.50 EUR');

  // Both have what they should: 100 − 12.50 − 8.80 − 5 + 3.80, and the rest.
  await has(bob, '77.50');
  await expect(bob.page.getByRole('button', { name: new RegExp(`${TITLE}.*12.50`) })).toBeVisible();
  const money = alice.page.getByRole('button', { name: 'Balance and pay-out' });
  await expect(money).toContainText('22.50 EUR');
  await money.click();
  await expect(dialog(alice).getByLabel('Amount')).toHaveValue('22.50');
  await dialog(alice).getByRole('button', { name: 'Continue' }).click();
  await unlock(alice);
  await expect(dialog(alice)).toHaveCount(0);
  await expect(alice.page.getByRole('main')).toContainText('Nothing there yet');
  await has(alice, '22.50');
});
