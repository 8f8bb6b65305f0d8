import type { Locator } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { PASSWORD, type Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const PIN = '271828';

function dialog(person: Person): Locator {
  return person.page.getByRole('dialog');
}

function main(person: Person): Locator {
  return person.page.getByRole('main');
}

/** Chooses a PIN in the wallet's own page. */
async function choosePin(person: Person): Promise<void> {
  const { page } = person;
  await person.at('/me/wallet/pin');
  for (const field of ['New payment PIN', 'The same PIN again']) {
    await expect(page.getByLabel(field)).toBeFocused();
    await page.keyboard.type(PIN);
  }
  await page.getByLabel('Confirm with your account password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set payment PIN' }).click();
  await expect(page).toHaveURL(/#\/me\/wallet$/);
}

/** Types the PIN, and is done. */
async function sign(person: Person): Promise<void> {
  await expect(person.page.getByLabel('Payment PIN')).toBeFocused();
  await person.page.keyboard.type(PIN);
  await expect(dialog(person)).toHaveCount(0);
}

/** Looks at what waits, and approves it. */
async function approve(person: Person, what: RegExp): Promise<void> {
  await person.at('/me/wallet/approvals');
  await person.page.getByRole('button', { name: what }).click();
  await clean(person.page, 'a proposal');
  await dialog(person).getByRole('button', { name: 'Approve' }).click();
  await sign(person);
}

async function has(person: Person, amount: string): Promise<void> {
  await person.at('/me/wallet');
  await expect(person.page.getByRole('group', { name: 'Accounts' })).toContainText(amount);
}

test('the owner issues much money once somebody else has signed for it, and a cash agent takes and gives cash', async ({ home }) => {
  test.slow();
  const { olga, alice, bob, carol } = await home(['olga', 'alice', 'bob', 'carol']);
    for (const someone of [alice, bob, carol]) await choosePin(someone);
    await olga.at('/me/money');
    await olga.page.getByRole('button', { name: 'Issue something new' }).click();
    await dialog(olga).getByLabel('Short name').fill('EUR');
    await dialog(olga).getByLabel('Name', { exact: true }).fill('Euro');
    await dialog(olga).getByLabel('What stands behind it').fill('One euro each, in the till.');
    await dialog(olga).getByRole('button', { name: 'Save' }).click();
    await expect(dialog(olga)).toHaveCount(0);

    // Alice is asked to be the first approver, and agrees; then there can be a threshold.
    await olga.page.getByRole('link', { name: 'Limits and approvals' }).click();
    await olga.page.getByRole('button', { name: 'Approval threshold' }).click();
    await expect(dialog(olga)).toContainText('Propose an approver first');
    await dialog(olga).getByRole('button', { name: 'Close' }).last().click();
    await olga.page.getByRole('button', { name: 'Propose an approver' }).click();
    await dialog(olga).getByLabel('Member').fill(alice.name);
    await dialog(olga).getByRole('button', { name: 'Propose' }).click();
    await expect(main(olga)).toContainText('becomes an approver');
    await approve(alice, /becomes an approver/);
    await olga.at('/me/wallet/limits');
    await olga.page.getByRole('button', { name: 'Approval threshold' }).click();
    await dialog(olga).getByLabel('Most that you issue in a day alone').fill('100');
    await dialog(olga).getByRole('button', { name: 'Save' }).click();
    await expect(main(olga)).toContainText('100.00 EUR a day without approval');
    await clean(olga.page, 'limits');

    // More than that waits for her, and she sees what exactly.
    await olga.at('/me/money');
    await olga.page.getByRole('button', { name: 'Euro' }).click();
    await dialog(olga).getByRole('button', { name: 'Issue to somebody' }).click();
    await dialog(olga).getByLabel('Member').fill(bob.name);
    await dialog(olga).getByLabel('Amount').fill('250');
    await dialog(olga).getByRole('button', { name: /^Issue 250\.00/ }).click();
    await expect(olga.page.getByText(/250\.00\sEUR waits for approval by/)).toBeVisible();
    await alice.at('/me/wallet');
    await expect(alice.page.getByRole('link', { name: 'Approvals' })).toContainText('1 for you to decide');
    await approve(alice, /Issue 250\.00\sEUR to/);
    await expect(main(alice)).toContainText('Approved by');
    await clean(alice.page, 'approvals');
    await has(bob, '250.00');

    // What carol may owe as an agent waits as well; then she takes cash from bob, and gives some back.
    await olga.at('/me/wallet/agents');
    await olga.page.getByRole('button', { name: 'Name a cash agent' }).click();
    await dialog(olga).getByLabel('Member').fill(carol.name);
    await dialog(olga).getByLabel('Most that the agent may owe').fill('50');
    await dialog(olga).getByRole('button', { name: 'Save' }).click();
    await expect(olga.page.getByText('It waits for approval.')).toBeVisible();
    await approve(alice, /may owe 50\.00\sEUR/);
    await carol.at('/me/wallet/cash');
    await carol.page.getByRole('button', { name: 'Take cash' }).click();
    await dialog(carol).getByLabel('Member').fill(bob.name);
    await dialog(carol).getByLabel('Cash that you have taken').fill('50.01');
    await dialog(carol).getByRole('button', { name: 'Continue' }).click();
    await expect(dialog(carol).getByLabel('Cash that you have taken')).toBeFocused();
    await dialog(carol).getByLabel('Cash that you have taken').fill('40');
    await dialog(carol).getByRole('button', { name: 'Continue' }).click();
    await sign(carol);
    await expect(carol.page.getByRole('region', { name: 'Float in EUR' })).toContainText('10.00 EUR');
    await expect(carol.page.getByRole('region', { name: 'Float in EUR' })).toContainText('Cash in');
    await clean(carol.page, 'a float');
    await has(bob, '290.00');
    await expect(main(bob)).toContainText('Cash in');
    await bob.at('/me/wallet/cash');
    await bob.page.getByRole('button', { name: new RegExp(carol.name) }).click();
    await dialog(bob).getByLabel('Amount').fill('15');
    await dialog(bob).getByRole('button', { name: 'Continue' }).click();
    await sign(bob);
    await has(bob, '275.00');

    // The owner sees the float, and settles it.
    await olga.at('/me/money');
    await olga.page.getByRole('link', { name: 'Cash agents' }).click();
    await expect(main(olga)).toContainText('owes 25.00 EUR of 50.00 EUR · today 40.00 EUR in, 15.00 EUR out');
    await clean(olga.page, 'cash agents');
    await olga.page.getByRole('button', { name: new RegExp(carol.name) }).click();
    await dialog(olga).getByRole('button', { name: 'The agent has brought cash' }).click();
    await expect(dialog(olga).getByLabel('Amount')).toHaveValue('25.00');
    await dialog(olga).getByRole('button', { name: 'Mark as settled' }).click();
    await expect(dialog(olga)).toContainText('50.00 EUR');
    await dialog(olga).getByRole('button', { name: 'Close' }).last().click();
    await expect(main(olga)).toContainText('owes 0.00 EUR of 50.00 EUR');
});
