import { scan, shown } from '../support/codes.ts';
import { makeGroup } from '../support/groups.ts';
import { begin, pay, PIN } from '../support/money.ts';
import { TITLE } from '../support/shop.ts';
import { dialog, done, flow, go, inTaps, main, press, test } from '../support/taps.ts';
import { expect } from '../support/test.ts';

const IBAN = 'DE89370400440532013000';
const HIS = 'NL91ABNA0417164300';

test('what a shop takes and gives back takes three taps at most', async ({ couple }) => {
  test.slow();
  const { alice, bob } = couple;
  await alice.at('/me/shops');
  await expect(main(alice).getByRole('heading', { name: 'No shop yet' })).toBeVisible();
  await inTaps(alice, 'open a shop', 2, async () => {
    await press(main(alice), 'Open a shop');
    await dialog(alice).getByLabel('Name of the shop').fill(TITLE);
    await dialog(alice).getByRole('textbox', { name: 'Address', exact: true }).fill(`${alice.name}-shop`);
    await dialog(alice).getByLabel('City').fill('Berlin');
    await dialog(alice).getByLabel('Country').fill('DE');
    await dialog(alice).getByLabel('Kind of business').selectOption('Bakery');
    await press(dialog(alice), 'Open a shop');
    await expect(main(alice).getByRole('heading', { level: 1, name: TITLE })).toBeVisible();
  });
  const till = alice.page.url();
  await inTaps(alice, 'charge', 1, async () => {
    await main(alice).getByLabel('Amount').fill('8');
    await press(main(alice), 'Charge');
    await expect(dialog(alice)).toContainText('Waiting for the customer');
  });
  const { picture } = await shown(dialog(alice).getByRole('img', { name: 'Code for the customer' }));
  await flow(bob, 'scan and pay', 3, async () => {
    const sheet = await scan(bob, picture);
    await press(sheet, 'Pay 8.00');
    await pay(bob, { stays: `Paid to ${TITLE}` });
    await press(sheet, 'Done');
    await done(bob);
  });
  await inTaps(alice, 'the next customer', 1, async () => {
    await press(dialog(alice), 'Next customer');
    await done(alice);
  });
  await inTaps(alice, 'refund a sale', 3, async () => {
    await press(main(alice).getByRole('region', { name: 'Till roll' }), new RegExp(`${bob.displayName}.*8\\.00`));
    await press(dialog(alice), 'Refund');
    await dialog(alice).getByLabel('How much goes back').fill('3');
    await press(dialog(alice), 'Continue');
    await pay(alice);
  });
  await main(alice).getByRole('link', { name: 'Shop sign' }).click();
  const sign = await shown(alice.page.getByRole('article', { name: 'Shop sign' }).getByRole('img'));
  await flow(bob, 'pay by the sign', 3, async () => {
    const sheet = await scan(bob, sign.picture);
    await sheet.getByLabel('Amount').fill('2');
    await press(sheet, 'Pay 2.00');
    await pay(bob, { stays: `Paid to ${TITLE}` });
    await press(sheet, 'Done');
    await done(bob);
  });
  await flow(bob, 'show a code', 2, async () => {
    await press(main(bob), 'Show code');
    await dialog(bob).getByLabel('The shop may take up to').fill('20');
    await press(dialog(bob), 'Continue');
    await dialog(bob).getByLabel('Payment PIN', { exact: true }).fill(PIN);
    await expect(dialog(bob).locator('[data-digits]')).toBeVisible();
  });
  const digits = await dialog(bob).locator('[data-digits]').innerText();
  await alice.page.goto(till);
  await main(alice).getByLabel('Amount').fill('5');
  await inTaps(alice, 'take a code', 2, async () => {
    await press(main(alice), 'Scan the customer');
    await dialog(alice).getByLabel('Or type its 20 digits').fill(digits);
    await press(dialog(alice), 'Take 5.00');
    await expect(dialog(alice)).toContainText(`Paid by ${bob.displayName}`);
  });
  await press(dialog(alice), 'Next customer');
  await done(alice);
  await inTaps(alice, 'pay out a shop', 2, async () => {
    await press(main(alice), /^Balance and pay-out/);
    await press(dialog(alice), 'Continue');
    await pay(alice);
    await expect(main(alice)).toContainText('Nothing there yet');
  });

  await makeGroup(alice, 'Team', [bob]);
  await inTaps(alice, 'split a bill', 3, async () => {
    const form = await begin(alice, 'Split a bill');
    await form.getByLabel('The whole bill').fill('6');
    await press(form, 'Ask');
    await done(alice);
  });
  await bob.openRow('Team');
  await expect(bob.log.getByRole('button', { name: /^Pay 3\.00/ })).toBeVisible();
  await inTaps(bob, 'pay a part of a bill', 1, async () => {
    await press(bob.log, /^Pay 3\.00/);
    await pay(bob, { to: alice });
  });
});

test('what comes from the bank and by cash, and goes there, takes three taps at most', async ({ couple }) => {
  test.slow();
  const { alice, bob } = couple;
  await alice.at('/me/money');
  await expect(main(alice).getByRole('button', { name: 'Euro' })).toBeVisible();
  await inTaps(alice, 'name the bank account', 3, async () => {
    await go(alice, /^Reconciliation/);
    await press(main(alice), /^Euro/);
    await dialog(alice).getByLabel('Account holder').fill('Orchard e.V.');
    await dialog(alice).getByLabel('IBAN').fill(IBAN);
    await press(dialog(alice), 'Save');
    await done(alice);
  });
  // An open wallet learns of a new way in when it is looked at again.
  await bob.at('/me');
  await flow(bob, 'see how to top up', 1, async () => {
    await go(bob, /^Top up/);
    await expect(main(bob).getByText(/RF\d\d [0-9A-Z ]+/).first()).toBeVisible();
  });
  const ask = async (amount: string): Promise<void> =>
    await flow(bob, 'ask for a withdrawal', 3, async () => {
      await go(bob, /^To the bank/);
      await press(main(bob), 'Pay out');
      await dialog(bob).getByLabel('Amount').fill(amount);
      await dialog(bob).getByLabel('Account holder').fill('Bob');
      await dialog(bob).getByLabel('IBAN').fill(HIS);
      await press(dialog(bob), 'Continue');
      await pay(bob);
    });
  await ask('2.50');
  await flow(bob, 'take a withdrawal back', 3, async () => {
    await go(bob, /^To the bank/);
    await press(main(bob), /2\.50/);
    await press(dialog(bob), 'Take it back');
    await expect(main(bob).getByText('Taken back')).toBeVisible();
  });
  await alice.at('/me/money');
  await inTaps(alice, 'name a cash agent', 3, async () => {
    await go(alice, /^Cash agents/);
    await press(main(alice), 'Name a cash agent');
    await dialog(alice).getByLabel('Member').fill(alice.name);
    await dialog(alice).getByLabel('Most that the agent may owe').fill('50');
    await press(dialog(alice), 'Save');
    await done(alice);
  });
  await flow(alice, 'take cash', 3, async () => {
    await go(alice, /^Cash/);
    await press(main(alice), 'Take cash');
    await dialog(alice).getByLabel('Member').fill(bob.name);
    await dialog(alice).getByLabel('Cash that you have taken').fill('40');
    await press(dialog(alice), 'Continue');
    await pay(alice);
  });
  await flow(bob, 'get cash', 3, async () => {
    await go(bob, /^Cash/);
    await press(main(bob), new RegExp(alice.displayName));
    await dialog(bob).getByLabel('Amount').fill('15');
    await press(dialog(bob), 'Continue');
    await pay(bob);
  });
});
