import type { Locator } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { issueEuros, issueTo, PIN } from '../support/money.ts';
import { PASSWORD, type Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

function dialog(person: Person): Locator {
  return person.page.getByRole('dialog');
}

/** Sets what is taken of payments to people here. */
async function setFee(owner: Person, fixed: string, percent: string): Promise<void> {
  await owner.at('/me/wallet/limits');
  await owner.page.getByRole('button', { name: 'Fee: to people here' }).click();
  await dialog(owner).getByLabel('For each payment').fill(fixed);
  await dialog(owner).getByLabel('Of the amount, in percent').fill(percent);
  await clean(owner.page, 'a fee');
  await dialog(owner).getByRole('button', { name: 'Save' }).click();
  await expect(dialog(owner)).toHaveCount(0);
}

/** Chooses whom to send how much, up to the PIN. */
async function send(who: Person, to: Person, amount: string): Promise<void> {
  await who.at('/me/wallet');
  await who.page.getByRole('button', { name: 'Transfer' }).click();
  await dialog(who).getByRole('button', { name: new RegExp(to.name) }).click();
  await dialog(who).getByLabel('Amount').fill(amount);
}

test('the owner sets a fee, whoever pays sees it before the PIN and pays no more, and what was earned is taken out', async ({ home }) => {
  test.slow();
  const { olga, alice, bob } = await home(['olga', 'alice', 'bob']);
    await bob.follow(await alice.link());
    await issueEuros(olga);
    await issueTo(olga, alice, '100');
    await setFee(olga, '0.10', '1.5');
    await expect(olga.page.getByRole('button', { name: 'Fee: to people here' })).toContainText(/0\.10\sEUR \+ 1\.5\s?%/);
    await clean(olga.page, 'limits with fees');

    // Alice sees it while she types, and before she signs. Her wallet was open before there was a fee.
    await alice.page.reload();
    await send(alice, bob, '10');
    await expect(dialog(alice)).toContainText(/Fee 0\.25\sEUR · 10\.25\sEUR in all/);
    await dialog(alice).getByRole('button', { name: 'Continue' }).click();
    for (const field of ['New payment PIN', 'The same PIN again']) await dialog(alice).getByLabel(field).fill(PIN);
    await dialog(alice).getByLabel('Confirm with your account password').fill(PASSWORD);
    await dialog(alice).getByRole('button', { name: 'Set payment PIN' }).click();
    await expect(dialog(alice)).toContainText(/10\.25\sEUR in all/);
    await clean(alice.page, 'the PIN with a fee');

    // It is raised in between: she is shown the new one, and nothing was paid.
    await setFee(olga, '0.20', '2');
    await dialog(alice).getByLabel('Payment PIN').fill(PIN);
    await expect(dialog(alice)).toContainText('The fee has changed, and nothing was paid.');
    await expect(dialog(alice)).toContainText(/Fee 0\.40\sEUR · 10\.40\sEUR in all/);
    await dialog(alice).getByLabel('Payment PIN').fill(PIN);
    await expect(dialog(alice)).toHaveCount(0);
    await alice.at('/me/wallet');
    await expect(alice.page.getByRole('group', { name: 'Accounts' })).toContainText('89.60');
    await expect(alice.page.getByRole('main')).toContainText('Fee');

    // Bob accepts; by that the fee is the node's, and olga takes it.
    await bob.at('/me/wallet');
    await bob.page.getByRole('button', { name: new RegExp(alice.displayName) }).first().click();
    await dialog(bob).getByRole('button', { name: 'Accept' }).click();
    await expect(bob.page.getByRole('group', { name: 'Accounts' })).toContainText('10.00');
    await olga.at('/me/wallet/limits');
    await olga.page.getByRole('button', { name: 'Earned fees' }).click();
    await expect(dialog(olga).getByLabel('Take to my account')).toHaveValue('0.40');
    await clean(olga.page, 'earned fees');
    await dialog(olga).getByRole('button', { name: 'Take to my account' }).click();
    await expect(dialog(olga)).toHaveCount(0);
    await olga.at('/me/wallet');
    await expect(olga.page.getByRole('group', { name: 'Accounts' })).toContainText('0.40');
});
