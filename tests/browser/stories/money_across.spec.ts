import { clean } from '../support/axe.ts';
import { makeGroup } from '../support/groups.ts';
import { begin, cents, issueEuros, issueTo, pay } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { expect, test } from '../support/two.ts';

const packet = (who: Person) => who.log.locator('[data-open]').filter({ hasText: 'For the harvest' });

/** Their own chat, not the group in which they said something last. */
async function openDirect(who: Person, other: Person): Promise<void> {
  await who.at('/chats');
  await who.page.getByRole('navigation', { name: 'Chats' }).getByRole('link').filter({ hasText: other.displayName, hasNotText: 'Orchard' }).click();
  await expect(who.composer).toBeVisible();
}

async function open(who: Person): Promise<number> {
  await packet(who).click();
  const sheet = who.page.getByRole('dialog');
  await sheet.getByRole('button', { name: 'Open', exact: true }).click();
  await expect(sheet.getByText('It is in your wallet.')).toBeVisible();
  return cents(await sheet.locator('.amount').innerText());
}

test('a red packet in a group across two nodes: each gets a share, both check the draw, and a transfer goes the other way', async ({ two }) => {
  test.slow();
  const { home, away, alice, bob } = two;
  await issueEuros(alice);
  await issueTo(alice, alice, '50');
  await makeGroup(alice, 'Orchard', [bob]);
  await bob.openRow('Orchard');
  // As long as the operators have agreed on nothing, there is nothing that money could do here.
  await expect(alice.composer).toBeVisible();
  await expect(alice.page.getByRole('button', { name: 'Money', exact: true })).toHaveCount(0);

  await home.agree(away, 'EUR', '20.00');
  for (const someone of [alice, bob]) {
    await someone.page.reload();
    await someone.inside();
  }
  const form = await begin(alice, 'Red packet');
  await form.getByLabel('Total').fill('10.00');
  await form.getByLabel('Number of shares').fill('2');
  await form.getByLabel('Greeting').fill('For the harvest');
  await clean(alice.page, 'red packet across, to fill');
  await form.getByRole('button', { name: 'Give' }).click();
  await pay(alice, { first: true });

  for (const someone of [alice, bob]) await expect(packet(someone)).toHaveAttribute('data-state', 'sealed', { timeout: 60_000 });
  const got = [await open(bob), await open(alice)];
  for (const share of got) expect(share).toBeGreaterThanOrEqual(1);
  expect(got.reduce((sum, share) => sum + share, 0)).toBe(1_000);
  for (const someone of [alice, bob]) {
    const details = someone.page.getByRole('dialog');
    await expect(details.getByText('2 of 2 opened')).toBeVisible();
    await expect(details.getByText('Fair draw, verified')).toBeVisible();
    await expect(details.getByRole('listitem').filter({ hasText: 'Best luck' })).toHaveCount(1);
    await details.getByRole('button', { name: 'Close' }).click();
  }
  // It is in bob's wallet at his own node, which says whose money it is.
  await bob.at('/me/wallet');
  const accounts = bob.page.getByRole('group', { name: 'Accounts' });
  await expect.poll(async () => cents(await accounts.innerText()), { timeout: 30_000 }).toBe(got[0]);

  // What he has he can give back.
  await openDirect(bob, alice);
  const back = await begin(bob, 'Transfer');
  await back.getByLabel('Amount').fill('0.01');
  await back.getByRole('button', { name: 'Continue' }).click();
  await pay(bob, { first: true });
  await openDirect(alice, bob);
  const card = alice.log.locator('[data-open]').filter({ hasText: '0.01' });
  await expect(card).toHaveAttribute('data-state', 'held', { timeout: 60_000 });
  await card.click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await expect(card).toHaveAttribute('data-state', 'done');
  await expect(bob.log.locator('[data-open]').filter({ hasText: '0.01' })).toHaveAttribute('data-state', 'done', { timeout: 60_000 });
});
