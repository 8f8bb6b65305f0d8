import type { Locator } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { scan, shown } from '../support/codes.ts';
import { pay, PIN } from '../support/money.ts';
import { PASSWORD, type Person } from '../support/person.ts';
import { marketDay, reads, TITLE } from '../support/shop.ts';
import { expect, test } from '../support/two.ts';

function dialog(person: Person): Locator {
  return person.page.getByRole('dialog');
}

/** What the wallet says that there is. */
async function has(person: Person, amount: string): Promise<void> {
  await person.at('/me/wallet');
  await expect(person.page.getByRole('group', { name: 'Accounts' })).toContainText(amount, { timeout: 60_000 });
}

test('bob of another node pays in the shop of alice by both its codes, and gets a part back', async ({ two }, info) => {
  test.slow();
  const { alice, bob } = two;
  const shop = await marketDay(two);

  // By the sign: the name is the shop's, and its node stands there.
  await alice.at(`/me/shops/${shop}`);
  await alice.page.getByRole('link', { name: 'Shop sign' }).click();
  let sheet = await reads(bob, alice.page.getByRole('article', { name: 'Shop sign' }).getByRole('img'), info);
  await expect(sheet).toContainText('Check the name.');
  await sheet.getByLabel('Amount').fill('12.50');
  await clean(bob.page, 'a printed code of another node');
  await sheet.getByRole('button', { name: 'Pay 12.50' }).click();
  await sheet.getByLabel('New payment PIN').fill(PIN);
  await sheet.getByLabel('The same PIN again').fill(PIN);
  await sheet.getByLabel('Confirm with your account password').fill(PASSWORD);
  await sheet.getByRole('button', { name: 'Set payment PIN' }).click();
  await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
  await expect(sheet).toContainText(`Paid to ${TITLE}`, { timeout: 60_000 });
  await clean(bob.page, 'paid at another node');
  await sheet.getByRole('button', { name: 'Done' }).click();

  // The till has it without a reload, with who has paid, and makes a code for one sale.
  await alice.page.getByRole('link', { name: 'Back' }).first().click();
  const roll = alice.page.getByRole('region', { name: 'Till roll' });
  await expect(roll.getByRole('button', { name: /12.50/ })).toContainText('Paid', { timeout: 60_000 });
  await alice.page.getByLabel('Amount').fill('8');
  await alice.page.getByLabel('Ask for a tip').check();
  await alice.page.getByRole('button', { name: 'Charge' }).click();
  await expect(dialog(alice)).toContainText('Waiting for the customer');
  const code = dialog(alice).getByRole('img', { name: 'Code for the customer' });
  const { picture } = await shown(code);
  sheet = await reads(bob, code, info);
  await expect(sheet).toContainText('was not changed on the way');
  await sheet.getByText('10 %').click();
  await clean(bob.page, 'a code for one sale of another node');
  await sheet.getByRole('button', { name: 'Pay 8.80' }).click();
  await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
  await expect(sheet).toContainText(`Paid to ${TITLE}`, { timeout: 60_000 });
  await expect(dialog(alice)).toContainText('8.80 EUR', { timeout: 60_000 });
  await dialog(alice).getByRole('button', { name: 'Next customer' }).click();
  await sheet.getByRole('button', { name: 'Done' }).click();
  await expect(await scan(bob, picture)).toContainText('Already paid');
  await dialog(bob).getByRole('button', { name: 'Close' }).last().click();

  // A part goes back over the link.
  await roll.getByRole('button', { name: /8.80/ }).click();
  await expect(dialog(alice)).toContainText(bob.displayName);
  await dialog(alice).getByRole('button', { name: 'Refund' }).click();
  await dialog(alice).getByLabel('How much goes back').fill('3');
  await dialog(alice).getByRole('button', { name: 'Continue' }).click();
  await pay(alice);
  await has(bob, '11.70');

  // By a code of bob's own, which the till is given by hand; it stands there as soon as the money is here.
  await bob.at('/me/wallet');
  await bob.page.getByRole('button', { name: 'Show code' }).click();
  await dialog(bob).getByLabel('The shop may take up to').fill('5');
  await dialog(bob).getByRole('button', { name: 'Continue' }).click();
  await dialog(bob).getByLabel('Payment PIN', { exact: true }).fill(PIN);
  const { text } = await shown(dialog(bob).getByRole('img', { name: 'Your payment code' }));
  expect(text).toMatch(/^weft:pay\/1\//);
  await alice.at(`/me/shops/${shop}`);
  const take = async (amount: string): Promise<void> => {
    await alice.page.getByLabel('Amount').fill(amount);
    await alice.page.getByRole('button', { name: "Scan the customer's code" }).click();
    await dialog(alice).getByLabel('Or type its 20 digits').fill(text);
    await dialog(alice).getByRole('button', { name: `Take ${amount}` }).click();
  };
  await take('6');
  await expect(dialog(alice)).toContainText("This is more than the customer's code allows.", { timeout: 60_000 });
  await dialog(alice).getByRole('button', { name: 'Close' }).last().click();
  await take('4.50');
  await expect(dialog(alice)).toContainText(`Paid by ${bob.displayName}`, { timeout: 60_000 });
  await clean(alice.page, 'paid by a code of another node');
  await expect(dialog(bob)).toContainText(`Paid to ${TITLE}`, { timeout: 60_000 });
  await dialog(alice).getByRole('button', { name: 'Next customer' }).click();
  await has(bob, '7.20');
});
