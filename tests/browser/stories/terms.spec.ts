import type { Locator } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { begin, cents, issueEuros, issueTo, pay } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { expect, test } from '../support/two.ts';

const main = (who: Person): Locator => who.page.getByRole('main');
const sheet = (who: Person): Locator => who.page.getByRole('dialog');

/** What is owed, as the page says it. */
async function owed(who: Person, text: RegExp): Promise<number> {
  return cents(await main(who).getByText(text).first().innerText());
}

/** The owner's page of the one other server. */
async function openLink(who: Person, node: string): Promise<void> {
  await who.at(`/me/wallet/links/${node}`);
  await expect(main(who).getByRole('heading', { name: 'Terms' })).toBeVisible();
}

test('two owners come to terms in their browsers, settle what is owed, lower the limit, and start payments again', async ({ two }) => {
  test.slow();
  const { home, away, alice, bob } = two;
  const [homeName, awayName] = [await home.name(), await away.name()];
  await issueEuros(alice);
  await issueTo(alice, alice, '100');

  // Alice offers terms to a server that hers has met.
  await alice.at('/me/wallet/links');
  await main(alice).getByRole('link', { name: /Offer terms/ }).click();
  await main(alice).getByRole('button', { name: 'Offer terms' }).click();
  await sheet(alice).getByLabel('Of our EUR they take at most').fill('-3');
  // It can be pressed, and leads to what is wrong.
  await sheet(alice).getByRole('button', { name: 'Sign and offer' }).click();
  await expect(sheet(alice).getByLabel('Of our EUR they take at most')).toBeFocused();
  await sheet(alice).getByLabel('Of our EUR they take at most').fill('50');
  await clean(alice.page, 'terms to offer');
  await sheet(alice).getByRole('button', { name: 'Sign and offer' }).click();
  await expect(main(alice).getByRole('button', { name: /You offer these terms/ })).toContainText('They take up to 50.00 EUR of ours');

  // She thinks better of it before bob has looked.
  await openLink(bob, homeName);
  await expect(main(bob).getByRole('button', { name: /They offer these terms/ })).toContainText('We take up to 50.00 EUR of theirs', { timeout: 60_000 });
  await main(alice).getByRole('button', { name: /You offer these terms/ }).click();
  await sheet(alice).getByRole('button', { name: 'Take back' }).click();
  await expect(main(alice).getByText('No terms in force')).toBeVisible({ timeout: 60_000 });
  await expect(main(bob).getByText('No terms in force')).toBeVisible({ timeout: 60_000 });

  // She offers less, and bob signs what he sees.
  await main(alice).getByRole('button', { name: 'Offer terms' }).click();
  await sheet(alice).getByLabel('Of our EUR they take at most').fill('20');
  await sheet(alice).getByRole('button', { name: 'Sign and offer' }).click();
  await main(bob).getByRole('button', { name: /They offer these terms/ }).click({ timeout: 60_000 });
  await expect(sheet(bob)).toContainText('We take up to 20.00 EUR of theirs');
  await clean(bob.page, 'terms to accept');
  await sheet(bob).getByRole('button', { name: 'Sign and accept' }).click();
  for (const who of [alice, bob]) await expect(main(who).getByText(/^In force since/)).toBeVisible({ timeout: 60_000 });
  await main(bob).getByRole('button', { name: /In force since/ }).click();
  // Both signatures are there.
  await expect(sheet(bob).getByText(/^[0-9a-f]{128}$/)).toHaveCount(2);
  await sheet(bob).getByRole('button', { name: 'Close' }).last().click();

  // A payment crosses, and both pages have the same sums.
  await alice.page.reload();
  await alice.inside();
  await alice.openRow(bob.displayName);
  const form = await begin(alice, 'Transfer');
  await form.getByLabel('Amount').fill('12.50');
  await form.getByRole('button', { name: 'Continue' }).click();
  await pay(alice, { first: true });
  await bob.openRow(alice.displayName);
  const card = bob.log.locator('[data-open]').filter({ hasText: '12.50' });
  await expect(card).toHaveAttribute('data-state', 'held', { timeout: 60_000 });
  await card.click();
  await sheet(bob).getByRole('button', { name: 'Accept' }).click();
  await expect(card).toHaveAttribute('data-state', 'done');
  await openLink(alice, awayName);
  await openLink(bob, homeName);
  await expect.poll(() => owed(alice, /^This server owes/), { timeout: 60_000 }).toBe(1_250);
  await expect.poll(() => owed(bob, /^They owe/), { timeout: 60_000 }).toBe(1_250);

  // Alice has paid some of it at the bank; bob has seen it come.
  await main(alice).getByRole('button', { name: 'Settlement', exact: true }).click();
  await sheet(alice).getByLabel('Amount').fill('2.50');
  await sheet(alice).getByLabel('Where and how').fill('RF18 of 20 November');
  await sheet(alice).getByRole('button', { name: 'Ask them to confirm' }).click();
  await main(bob).getByRole('button', { name: /They say they have paid 2.50 EUR/ }).click({ timeout: 60_000 });
  await sheet(bob).getByLabel('How much has come?').fill('2.50');
  await sheet(bob).getByRole('button', { name: 'It has come' }).click();
  await expect(main(alice).getByRole('button', { name: /You say you have paid 2.50 EUR/ })).toContainText('Done', { timeout: 60_000 });
  await expect(main(bob).getByRole('button', { name: /They say they have paid 2.50 EUR/ })).toContainText('Done');
  await expect.poll(() => owed(alice, /^This server owes/), { timeout: 60_000 }).toBe(1_000);
  await expect.poll(() => owed(bob, /^They owe/), { timeout: 60_000 }).toBe(1_000);

  // Bob wants to have less of it: he offers a lower limit, and alice signs.
  await main(bob).getByRole('button', { name: 'Offer other terms' }).click();
  await sheet(bob).getByLabel('Of their EUR we take at most').fill('11');
  await sheet(bob).getByRole('button', { name: 'Sign and offer' }).click();
  await main(alice).getByRole('button', { name: /They offer these terms/ }).click({ timeout: 60_000 });
  await expect(sheet(alice)).toContainText('so far: 20.00 EUR');
  await sheet(alice).getByRole('button', { name: 'Sign and accept' }).click();
  for (const who of [alice, bob]) await expect(main(who).getByRole('button', { name: 'Earlier terms (1)' })).toBeVisible({ timeout: 60_000 });
  await main(bob).getByRole('button', { name: 'Earlier terms (1)' }).click();
  await expect(main(bob).getByRole('button', { name: /No longer in force/ })).toContainText('20.00 EUR');
  await clean(bob.page, 'terms and their history');

  // More than that does not cross, and the text says why.
  await alice.openRow(bob.displayName);
  const over = await begin(alice, 'Transfer');
  await over.getByLabel('Amount').fill('1.01');
  await over.getByRole('button', { name: 'Continue' }).click();
  await sheet(alice).getByLabel('Payment PIN', { exact: true }).fill('271828');
  await expect(sheet(alice).getByRole('alert')).toContainText('That server does not take as much at the moment.', { timeout: 60_000 });
  await alice.page.keyboard.press('Escape');

  // Alice stops payments; both look at what follows, and sign it.
  await openLink(alice, awayName);
  await main(alice).getByRole('button', { name: 'Stop payments' }).click();
  await sheet(alice).getByRole('button', { name: 'Stop payments' }).click();
  for (const who of [alice, bob]) await expect(main(who).getByText('Payments are stopped:')).toBeVisible({ timeout: 60_000 });
  for (const who of [alice, bob]) {
    await main(who).getByRole('button', { name: 'See how they go on' }).click();
    await expect(sheet(who)).toContainText('10.00 owed in these books, 10.00 from then on', { timeout: 60_000 });
    if (who === alice) await clean(alice.page, 'a thaw to sign');
    await sheet(who).getByRole('button', { name: 'Sign this' }).click();
    await expect(sheet(who)).toHaveCount(0, { timeout: 60_000 });
  }
  for (const who of [alice, bob]) await expect(main(who).getByText('Payments are stopped:')).toHaveCount(0, { timeout: 60_000 });
});
