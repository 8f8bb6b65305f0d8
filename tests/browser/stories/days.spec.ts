import { clean } from '../support/axe.ts';
import { Clock } from '../support/clock.ts';
import { around } from '../support/groups.ts';
import { issueEuros, issueTo } from '../support/money.ts';
import { expect, test } from '../support/test.ts';

test('days end: the node signs what its books were, which bob checks; who is late with a bill sees it, and is reminded once', async ({ home }) => {
  test.slow();
  const clock = await Clock.make();
  try {
    const { alice, bob } = await home(['alice', 'bob'], { settings: clock.settings });
    await around(alice, [bob]);
    await issueEuros(alice);
    await issueTo(alice, bob, '50');
    await alice.at('/me/wallet/invoices');
    await alice.page.getByRole('button', { name: 'New invoice' }).click();
    const bill = alice.page.getByRole('main');
    await bill.getByLabel('Member').fill(bob.name);
    await bill.getByLabel('What for').fill('Apples');
    await bill.getByLabel('Quantity').fill('1');
    await bill.getByLabel('Price each').fill('10');
    const due = bill.getByLabel('Payable by');
    await due.fill((await due.getAttribute('min')) ?? '');
    await bill.getByRole('button', { name: 'Send invoice' }).click();
    await expect(bill.getByRole('article', { name: 'Invoice' })).toContainText('10.00');
    await expect(bill.getByRole('button', { name: 'Remind' })).toHaveCount(0);
    // Bob is told in time, and nobody reminds him.
    const invoices = bob.page.getByRole('link', { name: /^Invoices/ });
    await bob.at('/me/wallet');
    await expect(invoices).toContainText('1 bill is due');
    await expect(invoices).not.toContainText('Overdue');
    await bob.at('/me/wallet/books');
    await expect(bob.page.getByText('No day is signed yet')).toBeVisible();

    await clock.pass(2);
    // The node looks once a minute whether a day is over, and nobody is told.
    const books = bob.page.getByRole('main');
    await expect(async () => {
      await bob.at('/me/wallet');
      await expect(bob.page.getByRole('group', { name: 'Accounts' })).toContainText('50.00', { timeout: 5_000 });
      await bob.at('/me/wallet/books');
      await expect(books.getByText('Held by all accounts').first()).toBeVisible({ timeout: 5_000 });
    }).toPass({ timeout: 150_000, intervals: [2_000] });
    await expect(books).toContainText('Your 50.00 EUR are counted.');
    await clean(bob.page, 'signed books, with a day');

    await bob.at('/me/wallet');
    await expect(invoices).toContainText('Overdue');
    await clean(bob.page, 'wallet, late with a bill');
    await alice.page.reload();
    await alice.inside();
    await expect(bill.getByRole('article', { name: 'Invoice' })).toContainText('10.00');
    await bill.getByRole('button', { name: 'Remind' }).click();
    await expect(bill.getByRole('button', { name: 'Remind' })).toHaveCount(0);
    await clean(alice.page, 'an invoice that is late, and was reminded of');
    await bob.openChat(alice);
    await expect(bob.bubbles.last()).toContainText('10.00 EUR');
  } finally {
    await clock.remove();
  }
});
