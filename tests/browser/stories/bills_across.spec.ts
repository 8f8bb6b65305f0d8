import { clean } from '../support/axe.ts';
import { begin, issueEuros, issueTo, pay } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { expect, test } from '../support/two.ts';

/** What the wallet says that there is. */
async function has(person: Person, amount: string): Promise<void> {
  await person.at('/me/wallet');
  await expect(person.page.getByRole('group', { name: 'Accounts' })).toContainText(amount, { timeout: 60_000 });
}

test('alice bills bob of another node: he opens it from the chat, pays it over the link, and gets a part back', async ({ two }) => {
  test.slow();
  const { home, away, alice, bob } = two;
  await issueEuros(alice);
  await issueTo(alice, alice, '50');
  await home.agree(away, 'EUR', '40.00');
  for (const someone of [alice, bob]) {
    await someone.page.reload();
    await someone.inside();
  }
  // Bob has euros of alice's node.
  await alice.openRow(bob.displayName);
  const gift = await begin(alice, 'Transfer');
  await gift.getByLabel('Amount').fill('30');
  await gift.getByRole('button', { name: 'Continue' }).click();
  await pay(alice, { first: true });
  await bob.openRow(alice.displayName);
  const came = bob.log.locator('[data-open]').filter({ hasText: '30.00' });
  await expect(came).toHaveAttribute('data-state', 'held', { timeout: 60_000 });
  await came.click();
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await has(bob, '30.00');

  await alice.at('/me/wallet/invoices/new');
  const form = alice.page.getByRole('main');
  await form.getByRole('group', { name: 'Contacts at other servers' }).getByRole('button', { name: bob.displayName }).click();
  await expect(form).toContainText('The invoice goes to the chat with them.');
  await form.getByLabel('What for').fill('Apples');
  await form.getByLabel('Quantity').fill('2.5');
  await form.getByLabel('Price each').fill('4');
  await form.getByLabel('Tax').fill('7');
  await clean(alice.page, 'invoice for another node, to write');
  await form.getByRole('button', { name: 'Send invoice' }).click();
  const hers = form.getByRole('article', { name: 'Invoice' });
  await expect(hers).toContainText('10.70');
  await clean(alice.page, 'invoice for another node, sent');

  // It stands in the chat, and among what he has to pay.
  await bob.openRow(alice.displayName);
  const card = bob.log.locator('[data-open]').filter({ hasText: '10.70' });
  await expect(card).toHaveAttribute('data-state', 'open', { timeout: 60_000 });
  await clean(bob.page, 'invoice of another node, in the chat');
  await bob.at('/me/wallet');
  await expect(bob.page.getByRole('link', { name: /^Invoices/ })).toContainText('1');
  await bob.page.getByRole('link', { name: /^Invoices/ }).click();
  await bob.page.getByRole('main').getByRole('link', { name: /10\.70/ }).click();
  const paper = bob.page.getByRole('article', { name: 'Invoice' });
  await expect(paper).toContainText('Apples');
  await expect(paper).toContainText('has signed what this invoice says');
  await expect(paper).toContainText(`${alice.address.split('@')[0]}@12D3Koo`);
  await clean(bob.page, 'invoice of another node, to pay');
  await bob.page.getByRole('button', { name: /^Pay 10\.70/ }).click();
  await pay(bob, { first: true });
  await expect(paper).toContainText('Paid', { timeout: 60_000 });
  await expect(bob.page.getByRole('button', { name: /^Pay/ })).toHaveCount(0);
  await expect(hers).toContainText('Paid', { timeout: 60_000 });
  await clean(bob.page, 'invoice of another node, paid');

  // A part goes back over the link.
  await form.getByRole('button', { name: 'Refund' }).click();
  const back = alice.page.getByRole('dialog');
  await back.getByLabel('How much goes back').fill('0.70');
  await back.getByRole('button', { name: 'Continue' }).click();
  await pay(alice);
  await expect(hers).toContainText('Partly refunded', { timeout: 60_000 });
  await expect(paper).toContainText('Partly refunded', { timeout: 60_000 });
  await has(bob, '20.00');
  await bob.openRow(alice.displayName);
  await expect(card).toHaveAttribute('data-state', 'paid');
});
