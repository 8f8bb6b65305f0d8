import { clean } from '../support/axe.ts';
import { around } from '../support/groups.ts';
import { issueEuros, issueTo, pay } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { expect, test as base } from '../support/test.ts';

/** A node of alice, who issues euros; bob has 50 of them. */
const test = base.extend<{ couple: { alice: Person; bob: Person } }>({
  couple: async ({ home }, use) => {
    const { alice, bob } = await home(['alice', 'bob']);
    await around(alice, [bob]);
    await issueEuros(alice);
    await issueTo(alice, bob, '50');
    await use({ alice, bob });
  },
});

/** What the wallet says that there is. */
async function has(person: Person, amount: string): Promise<void> {
  await person.at('/me/wallet');
  await expect(person.page.getByRole('group', { name: 'Accounts' })).toContainText(amount);
}

test('a regular payment is given, collected by the node or on request, and ended by whoever pays', async ({ couple }) => {
  test.slow();
  const { alice, bob } = couple;
  await bob.at('/me/wallet');
  await bob.page.getByRole('link', { name: /^Regular payments/ }).click();
  await bob.page.getByRole('button', { name: 'New regular payment' }).click();
  const form = bob.page.getByRole('main');
  await form.getByLabel('Member').fill(alice.name);
  await form.getByLabel('Amount each time').fill('12.50');
  await form.getByLabel('What for').fill('The garden');
  await clean(bob.page, 'regular payment, to fill');
  await form.getByRole('button', { name: 'Continue' }).click();
  await pay(bob, { first: true, to: alice });
  // It is due today: the node has collected it, and says when it will again.
  await expect(form.getByText('12.50 EUR every month')).toBeVisible();
  await expect(form.getByText('Paid', { exact: true })).toBeVisible();
  await expect(form.getByText(/^Next on /)).toBeVisible();
  await clean(bob.page, 'regular payment, collected');
  await has(bob, '37.50');
  await has(alice, '12.50');

  // Alice sees it, too; it is not hers to collect before its day.
  await alice.at('/me/wallet/mandates');
  await alice.page.getByRole('main').getByRole('link', { name: /The garden/ }).click();
  const seen = alice.page.getByRole('main');
  await expect(seen.getByText('12.50 EUR every month')).toBeVisible();
  await expect(seen.getByRole('button', { name: 'Collect' })).toHaveCount(0);
  await clean(alice.page, 'regular payment, as the payee sees it');

  // What she asks for herself: as much as was used, at most what he has allowed.
  await bob.at('/me/wallet/mandates/new');
  await form.getByLabel('Member').fill(alice.name);
  await form.getByText('When the payee asks', { exact: true }).click();
  await form.getByLabel('At most, each time').fill('10');
  await form.getByLabel('What for').fill('Water');
  await form.getByRole('button', { name: 'Continue' }).click();
  await pay(bob, { to: alice });
  await expect(form.getByText('Up to 10.00 EUR every month')).toBeVisible();
  await alice.at('/me/wallet/mandates');
  await seen.getByRole('link', { name: /Water/ }).click();
  await seen.getByRole('button', { name: 'Collect' }).click();
  const sheet = alice.page.getByRole('dialog');
  await sheet.getByLabel('Amount').fill('4');
  await sheet.getByRole('button', { name: 'Collect' }).click();
  await expect(sheet).toHaveCount(0);
  await expect(seen.getByText('Paid', { exact: true })).toBeVisible();
  await expect(seen.getByRole('button', { name: 'Collect' })).toHaveCount(0);
  await expect(form.getByText('Paid', { exact: true })).toBeVisible();

  // Bob ends it without a PIN, and alice sees that at once.
  await form.getByRole('button', { name: 'End it' }).click();
  await bob.page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
  await expect(form.getByText('Ended', { exact: true })).toBeVisible();
  await expect(seen.getByText('Ended', { exact: true })).toBeVisible();
  await expect(seen.getByRole('button', { name: 'Give it up' })).toHaveCount(0);
  await has(bob, '33.50');
  await has(alice, '16.50');
});
