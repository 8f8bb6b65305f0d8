import { clean } from '../support/axe.ts';
import { around, makeGroup } from '../support/groups.ts';
import { begin, cents, issueEuros, issueTo, pay } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { expect, test as base } from '../support/test.ts';

/** A node whose owner is alice, with euros on the accounts of all three, who are together in a group that is open. */
const test = base.extend<{ house: { alice: Person; bob: Person; carol: Person } }>({
  house: async ({ home }, use) => {
    const { alice, bob, carol } = await home(['alice', 'bob', 'carol']);
    await around(alice, [bob, carol]);
    await issueEuros(alice);
    for (const someone of [alice, bob, carol]) await issueTo(alice, someone, '100');
    await makeGroup(alice, 'Kitchen', [bob, carol]);
    for (const guest of [bob, carol]) await guest.openRow('Kitchen');
    await use({ alice, bob, carol });
  },
});

/** Opens the red packet of the open chat, and says how much was in it. */
async function open(who: Person): Promise<number> {
  await who.log.locator('[data-open]').filter({ hasText: 'Red packet' }).click();
  const sheet = who.page.getByRole('dialog');
  await sheet.getByRole('button', { name: 'Open', exact: true }).click();
  await expect(sheet.getByText('It is in your wallet.')).toBeVisible();
  return cents(await sheet.locator('.amount').innerText());
}

test('a red packet among three: each gets something by luck, together all of it, and everybody can check the draw', async ({ house }) => {
  test.slow();
  const { alice, bob, carol } = house;
  const form = await begin(alice, 'Red packet');
  await form.getByLabel('Total').fill('10.00');
  await form.getByLabel('Number of shares').fill('3');
  await form.getByLabel('Greeting').fill('For the three of us');
  await form.getByRole('radio', { name: 'Lanterns' }).check();
  await clean(alice.page, 'red packet, to fill');
  await form.getByRole('button', { name: 'Give' }).click();
  await pay(alice, { first: true });

  const packet = (who: Person) => who.log.locator('[data-open]').filter({ hasText: 'For the three of us' });
  for (const someone of [alice, bob, carol]) await expect(packet(someone)).toHaveAttribute('data-state', 'sealed');
  await expect(bob.page.getByRole('navigation', { name: 'Chats' }).getByText(`${alice.displayName}: [Red packet] For the three of us`)).toBeVisible();
  await clean(bob.page, 'chat with a red packet');

  const got = [await open(bob), await open(carol)];
  const sheet = bob.page.getByRole('dialog');
  await expect(sheet.getByText('2 of 3 opened')).toBeVisible();
  await expect(sheet.getByText('Best luck')).toHaveCount(0);
  got.push(await open(alice));
  for (const share of got) expect(share).toBeGreaterThanOrEqual(1);
  expect(got.reduce((sum, share) => sum + share, 0)).toBe(1_000);

  for (const someone of [alice, bob, carol]) {
    const details = someone.page.getByRole('dialog');
    await expect(details.getByText('3 of 3 opened')).toBeVisible();
    await expect(details.getByText('Fair draw, verified')).toBeVisible();
    const best = details.getByRole('listitem').filter({ hasText: 'Best luck' });
    await expect(best).toHaveCount(1);
    expect(cents(await best.innerText())).toBe(Math.max(...got));
  }
  await clean(bob.page, 'red packet, opened');

  // Once more it is what it was.
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
  await expect(packet(bob)).toHaveAttribute('data-state', 'opened');
  await packet(bob).click();
  expect(cents(await bob.page.getByRole('dialog').locator('.amount').innerText())).toBe(got[0]);
  await bob.page.reload();
  await bob.inside();
  await expect(packet(bob)).toHaveAttribute('data-state', 'opened');
  await expect.poll(async () => cents(await packet(bob).innerText())).toBe(got[0]);
});

test('a bill of 30.00 among three: bob pays his part, and alice sees who has not', async ({ house }) => {
  test.slow();
  const { alice, bob, carol } = house;
  const form = await begin(alice, 'Split a bill');
  await form.getByLabel('The whole bill').fill('30');
  await form.getByLabel('What for (optional)').fill('Pizza');
  await expect(form.getByText('10.00', { exact: true })).toHaveCount(3);
  await clean(alice.page, 'bill, to split');
  await form.getByRole('button', { name: 'Ask' }).click();
  await expect(form).toHaveCount(0);
  await expect(alice.log.getByText('0 of 2 paid')).toBeVisible();

  await bob.log.getByRole('button', { name: /^Pay 10\.00/ }).click();
  await pay(bob, { first: true, to: alice });
  await expect(bob.log.getByText('You have paid', { exact: true })).toBeVisible();

  const part = (who: Person, of: Person) => who.log.getByRole('listitem').filter({ hasText: of.displayName });
  await expect(alice.log.getByText('1 of 2 paid')).toBeVisible();
  await expect(part(alice, bob)).toHaveClass(/paid/);
  await expect(part(alice, carol)).not.toHaveClass(/paid/);
  await expect(alice.log.getByText(`${bob.displayName} has paid`)).toBeVisible();
  // Carol was neither paid nor has she paid: she knows it from Bob's word.
  await expect(carol.log.getByText(`${bob.displayName} says that they have paid`)).toBeVisible();
  await expect(carol.log.getByText('1 of 2 paid')).toBeVisible();
  await clean(alice.page, 'chat with a bill');

  // Alice reminds the one who has not.
  await alice.log.locator('[data-open]').filter({ hasText: 'Pizza' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Remind' }).click();
  await expect(alice.page.getByRole('dialog').getByRole('button', { name: 'Reminded' })).toBeDisabled();
  await clean(alice.page, 'bill, in full');
  await expect(carol.bubbles.filter({ hasText: `@${carol.displayName} A reminder: 10.00` })).toBeVisible();
  await expect(carol.log.getByText('[Split a bill] Pizza')).toBeVisible();
});

test('a transfer waits for the other, who accepts one and gives one back; a request is paid with one tap', async ({ house }) => {
  test.slow();
  const { alice, bob } = house;
  await alice.openChat(bob);
  await bob.openChat(alice);
  for (const [index, amount] of ['12.34', '5'].entries()) {
    const form = await begin(alice, 'Transfer');
    await expect(form).toContainText(bob.address);
    await form.getByLabel('Amount').fill(amount);
    await form.getByLabel('What for (optional)').fill(`number ${index + 1}`);
    if (index === 0) await clean(alice.page, 'transfer, to fill');
    await form.getByRole('button', { name: 'Continue' }).click();
    await pay(alice, { first: index === 0, to: bob });
  }
  const card = (who: Person, note: string) => who.log.locator('[data-open]').filter({ hasText: note });
  await expect(card(bob, 'number 1')).toContainText('12.34');
  await expect(card(bob, 'number 1')).toHaveAttribute('data-state', 'held');
  await card(bob, 'number 1').click();
  await clean(bob.page, 'transfer that waits');
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await expect(bob.page.getByRole('dialog')).toContainText('You have received it');
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click();
  // By keyboard: the newest line of the log, and Enter.
  await bob.log.press('End');
  await expect(bob.log.getByRole('article').last()).toBeFocused();
  await bob.page.keyboard.press('Enter');
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Give back' }).click();
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Give back' }).click();
  await expect(bob.page.getByRole('dialog')).toContainText('Given back');
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Close' }).first().click();
  await expect(card(alice, 'number 1')).toHaveAttribute('data-state', 'done');
  await expect(card(alice, 'number 2')).toHaveAttribute('data-state', 'returned');

  const form = await begin(bob, 'Request money');
  await form.getByLabel('Amount').fill('2.34');
  await form.getByLabel('What for (optional)').fill('too much');
  await form.getByRole('button', { name: 'Ask' }).click();
  await alice.log.getByRole('button', { name: /^Pay 2\.34/ }).click();
  await pay(alice, { to: bob });
  await expect(bob.log.locator('[data-state=paid]').filter({ hasText: 'too much' })).toBeVisible();
  await expect(bob.log.getByText(`${alice.displayName} has paid 2.34`)).toBeVisible();
});
