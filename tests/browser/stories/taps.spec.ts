import { begin, pay, PIN } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { dialog, done, flow, go, inTaps, main, press, test } from '../support/taps.ts';
import { expect } from '../support/test.ts';

/** Bob pays alice into escrow. */
async function hold(bob: Person, alice: Person, amount: string): Promise<void> {
  await flow(bob, 'pay into escrow', 3, async () => {
    await go(bob, /^Escrow/);
    await press(main(bob), 'Pay into escrow');
    await main(bob).getByLabel('Member').fill(alice.name);
    await main(bob).getByLabel('Amount').fill(amount);
    await press(main(bob), 'Continue');
    await pay(bob, { to: alice });
  });
}

/** Alice bills bob. */
async function bill(alice: Person, bob: Person, price: string): Promise<void> {
  await flow(alice, 'send an invoice', 3, async () => {
    await go(alice, /^Invoices/);
    await press(main(alice), 'New invoice');
    await main(alice).getByLabel('Member').fill(bob.name);
    await main(alice).getByLabel('What for').fill('Apples');
    await main(alice).getByLabel('Price each').fill(price);
    await press(main(alice), 'Send invoice');
    await expect(alice.page.getByRole('article', { name: 'Invoice' })).toContainText(price);
  });
}

/** Bob lets alice collect. */
async function allow(bob: Person, alice: Person, what: string, asked: boolean): Promise<void> {
  await flow(bob, 'set up a regular payment', 3, async () => {
    await go(bob, /^Regular payments/);
    await press(main(bob), 'New regular payment');
    await main(bob).getByLabel('Member').fill(alice.name);
    // It is one of the fields: by the keys, as the rest.
    if (asked) await main(bob).getByRole('radio', { name: 'By itself, on the day' }).press('ArrowDown');
    await main(bob).getByLabel(asked ? 'At most, each time' : 'Amount each time').fill('5');
    await main(bob).getByLabel('What for').fill(what);
    await press(main(bob), 'Continue');
    await pay(bob, { to: alice });
  });
}

test('what one sends, bills and gives back takes three taps at most', async ({ couple }) => {
  test.slow();
  const { alice, bob } = couple;
  await alice.at('/me/money');
  await expect(main(alice).getByRole('button', { name: 'Euro' })).toBeVisible();
  await inTaps(alice, 'issue', 3, async () => {
    await press(main(alice), 'Euro');
    await press(dialog(alice), 'Issue to somebody');
    await dialog(alice).getByLabel('Member').fill(bob.name);
    await dialog(alice).getByLabel('Amount').fill('1 000 EUR');
    await press(dialog(alice), /^Issue 1,000\.00/);
    await done(alice);
  });
  await flow(bob, 'transfer', 3, async () => {
    await press(main(bob), 'Transfer');
    await press(dialog(bob), new RegExp(alice.displayName));
    await dialog(bob).getByLabel('Amount').fill('12.34');
    await press(dialog(bob), 'Continue');
    await pay(bob, { to: alice });
  });
  await flow(bob, 'transfer to an address', 3, async () => {
    await press(main(bob), /^Transfer$/);
    await dialog(bob).getByLabel('Name or address').fill('olga@away.example');
    await expect(dialog(bob)).toContainText('No payments are exchanged with away.example');
    await dialog(bob).getByLabel('Name or address').fill(alice.address);
    await press(dialog(bob), new RegExp(alice.displayName));
    await dialog(bob).getByLabel('Amount').fill('3');
    await press(dialog(bob), 'Continue');
    await pay(bob, { to: alice });
  });
  await flow(alice, 'accept a transfer', 2, async () => {
    await press(main(alice), new RegExp(`${bob.displayName}.*12\\.34`));
    await press(dialog(alice), 'Accept');
    await done(alice);
  });
  await flow(alice, 'refund a transfer', 3, async () => {
    await press(main(alice), new RegExp(`${bob.displayName}.*12\\.34`));
    await press(dialog(alice), 'Refund');
    await press(dialog(alice), 'Continue');
    await pay(alice, { to: bob });
  });

  await bill(alice, bob, '10.70');
  await flow(bob, 'pay an invoice', 3, async () => {
    await go(bob, /^Invoices/);
    await go(bob, /10\.70/);
    await press(main(bob), /^Pay 10\.70/);
    await pay(bob, { to: alice });
  });
  await flow(alice, 'refund an invoice', 3, async () => {
    await go(alice, /^Invoices/);
    await press(main(alice), /^Refund · Invoice 1/);
    await press(dialog(alice), 'Continue');
    await pay(alice, { to: bob });
  });
  await bill(alice, bob, '8.00');
  await flow(alice, 'cancel an invoice', 3, async () => {
    await go(alice, /^Invoices/);
    await press(main(alice), /^Cancel invoice · Invoice 2/);
    await press(dialog(alice), 'Cancel invoice');
    await done(alice);
  });

  await bob.openChat(alice);
  await inTaps(bob, 'request in a chat', 3, async () => {
    const form = await begin(bob, 'Request money');
    await form.getByLabel('Amount').fill('2.34');
    await press(form, 'Ask');
    await done(bob);
  });
  await inTaps(bob, 'red packet', 3, async () => {
    const form = await begin(bob, 'Red packet');
    await form.getByLabel('Amount').fill('3');
    await press(form, 'Give');
    await pay(bob);
  });
  await alice.openChat(bob);
  await inTaps(alice, 'pay what is asked for', 1, async () => {
    await press(alice.log, /^Pay 2\.34/);
    await pay(alice, { to: bob });
  });
  await flow(bob, 'show a code', 2, async () => {
    await press(main(bob), 'Show code');
    await dialog(bob).getByLabel('The shop may take up to').fill('20');
    await press(dialog(bob), 'Continue');
    await dialog(bob).getByLabel('Payment PIN', { exact: true }).fill(PIN);
    await expect(dialog(bob).getByRole('img').first()).toBeVisible();
  });
});

test('what is held in escrow and collected again and again takes three taps at most', async ({ couple }) => {
  test.slow();
  const { alice, bob } = couple;
  await hold(bob, alice, '20');
  await flow(bob, 'release an escrow', 2, async () => {
    await go(bob, /^Escrow/);
    await press(main(bob), /^Release 20\.00/);
    await pay(bob, { to: alice });
  });
  await flow(alice, 'refund an escrow', 3, async () => {
    await go(alice, /^Escrow/);
    await press(main(alice), /^Refund/);
    await press(dialog(alice), 'Continue');
    await pay(alice, { to: bob });
  });
  await hold(bob, alice, '16');
  await flow(bob, 'offer a split', 3, async () => {
    await go(bob, /^Escrow/);
    await press(main(bob), /^Propose a split/);
    await dialog(bob).getByLabel('To the seller').fill('6');
    await press(dialog(bob), 'Continue');
    await pay(bob, { to: alice });
  });
  await flow(alice, 'agree to a split', 3, async () => {
    await go(alice, /^Escrow/);
    await press(main(alice), /^Agree to 6\.00/);
    await press(dialog(alice), 'Confirm');
    await done(alice);
    await expect(main(alice).getByText('Split', { exact: true })).toBeVisible();
  });
  await hold(bob, alice, '14');
  await flow(alice, 'ask for a split', 3, async () => {
    await go(alice, /^Escrow/);
    await press(main(alice), /^Propose a split/);
    await dialog(alice).getByLabel('To the seller').fill('4');
    await press(dialog(alice), 'Confirm');
    await done(alice);
  });
  await flow(alice, 'give all back', 3, async () => {
    await go(alice, /^Escrow/);
    await press(main(alice), /^Give all back/);
    await press(dialog(alice), 'Confirm');
    await done(alice);
    await expect(main(alice).getByText('Given back', { exact: true })).toBeVisible();
  });

  await allow(bob, alice, 'Garden', false);
  await flow(bob, 'end a regular payment', 3, async () => {
    await go(bob, /^Regular payments/);
    await press(main(bob), /^End it/);
    await press(dialog(bob), 'End it');
    await done(bob);
    await expect(main(bob).getByText('Ended', { exact: true })).toBeVisible();
  });
  await allow(bob, alice, 'Water', true);
  await flow(alice, 'collect', 3, async () => {
    await go(alice, /^Regular payments/);
    await press(main(alice), /^Collect/);
    await dialog(alice).getByLabel('Amount').fill('4');
    await press(dialog(alice), 'Collect');
    await done(alice);
  });
  await flow(alice, 'give a regular payment up', 3, async () => {
    await go(alice, /^Regular payments/);
    await press(main(alice), /^Give it up/);
    await press(dialog(alice), 'Give it up');
    await done(alice);
  });
});
