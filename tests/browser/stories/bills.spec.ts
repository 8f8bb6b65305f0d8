import { clean } from '../support/axe.ts';
import { around } from '../support/groups.ts';
import { issueEuros, issueTo, pay } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { expect, test as base } from '../support/test.ts';

const IBAN = 'DE89370400440532013000';
const HIS = 'NL91ABNA0417164300';

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

test('an invoice is sent, paid in three taps and paid once; what is held in escrow goes to the seller when the buyer says so', async ({ couple }) => {
  test.slow();
  const { alice, bob } = couple;
  await alice.at('/me/wallet/invoices');
  await alice.page.getByRole('button', { name: 'New invoice' }).click();
  const form = alice.page.getByRole('main');
  await form.getByLabel('Member').fill(bob.name);
  await form.getByLabel('What for').fill('Apples');
  await form.getByLabel('Quantity').fill('2.5');
  await form.getByLabel('Price each').fill('4');
  await form.getByLabel('Tax').fill('7');
  await expect(form.getByText('10.70')).toBeVisible();
  await clean(alice.page, 'invoice, to write');
  await form.getByRole('button', { name: 'Send invoice' }).click();
  await expect(form.getByRole('article', { name: 'Invoice' })).toContainText('10.70');

  // First tap: what there is to pay. Second: this one. Third: pay it.
  await bob.at('/me/wallet');
  await bob.page.getByRole('link', { name: /^Invoices/ }).click();
  await bob.page.getByRole('main').getByRole('link', { name: /10\.70/ }).click();
  const paper = bob.page.getByRole('article', { name: 'Invoice' });
  await expect(paper).toContainText('Apples');
  await expect(paper).toContainText(/RF\d\d/);
  await clean(bob.page, 'invoice, to pay');
  await bob.page.getByRole('button', { name: /^Pay 10\.70/ }).click();
  await pay(bob, { first: true, to: alice });
  await expect(paper).toContainText('Paid');
  await expect(bob.page.getByRole('button', { name: /^Pay/ })).toHaveCount(0);
  await expect(alice.page.getByRole('article', { name: 'Invoice' })).toContainText('Paid');
  await has(alice, '10.70');
  await has(bob, '39.30');

  await bob.at('/me/wallet/escrow');
  await bob.page.getByRole('button', { name: 'Pay into escrow' }).click();
  const hold = bob.page.getByRole('main');
  await hold.getByLabel('Member').fill(alice.name);
  await hold.getByLabel('Amount').fill('20');
  await hold.getByLabel('What for').fill('A ladder');
  await clean(bob.page, 'escrow, to fill');
  await hold.getByRole('button', { name: 'Continue' }).click();
  await pay(bob, { to: alice });
  await expect(hold.getByText('Held', { exact: true })).toBeVisible();
  await alice.at('/me/wallet/escrow');
  await alice.page.getByRole('main').getByRole('link', { name: /20\.00/ }).click();
  await expect(alice.page.getByRole('main')).toContainText('A ladder');
  await expect(alice.page.getByRole('button', { name: /^Release/ })).toHaveCount(0);
  await clean(alice.page, 'escrow, as the seller sees it');
  await hold.getByRole('button', { name: 'Release 20.00' }).click();
  await pay(bob, { to: alice });
  await expect(hold.getByText('Released', { exact: true })).toBeVisible();
  await expect(alice.page.getByRole('main').getByText('Released', { exact: true })).toBeVisible();
  await has(alice, '30.70');
  await has(bob, '19.30');
});

test('money comes in by a bank file with a reference, and goes out when the owner has paid it; the signed books are there to look at', async ({ couple }) => {
  test.slow();
  const { alice, bob } = couple;
  await alice.at('/me/wallet/reconcile');
  const desk = alice.page.getByRole('main');
  await desk.getByRole('button', { name: /^Euro/ }).click();
  const account = alice.page.getByRole('dialog');
  await account.getByLabel('Account holder').fill('Orchard e.V.');
  await account.getByLabel('IBAN').fill(IBAN);
  await account.getByRole('button', { name: 'Save' }).click();
  await expect(account).toHaveCount(0);

  await bob.at('/me/wallet/topup');
  const reference = await bob.page.getByText(/RF\d\d [0-9A-Z ]+/).first().innerText();
  await clean(bob.page, 'top up');
  const found = reference.replaceAll(' ', '').match(/RF\d\d[0-9A-Z]+/)?.[0] ?? '';
  const file = [':20:STATEMENT', `:25:${IBAN}`, ':28C:1/1', ':60F:C241101EUR0,00', ':61:2411011101C12,50NTRFNONREF//1', `:86:${found}`, ':61:2411011101C3,00NTRFNONREF//2', ':86:from somebody', ':62F:C241101EUR15,50', '-', ''].join('\n');
  const chooser = alice.page.waitForEvent('filechooser');
  await desk.getByRole('button', { name: 'Import a bank file' }).click();
  for (const again of [false, true]) {
    if (!again) await (await chooser).setFiles({ name: 'november.sta', mimeType: 'text/plain', buffer: Buffer.from(file) });
    else await desk.locator('input[type=file]').setInputFiles({ name: 'november.sta', mimeType: 'text/plain', buffer: Buffer.from(file) });
    await expect(desk.getByRole('status')).toContainText(again ? '2 were known already' : '1 credited to a member');
  }
  // The other one waits for whoever knows better.
  await expect(desk.getByRole('group', { name: 'Unclear' }).or(desk).getByText(/\+3\.00/)).toBeVisible();
  await clean(alice.page, 'reconciliation');
  await has(bob, '62.50');

  await bob.at('/me/wallet/withdraw');
  await bob.page.getByRole('button', { name: 'Pay out' }).click();
  const ask = bob.page.getByRole('dialog');
  await ask.getByLabel('Amount').fill('2.50');
  await ask.getByLabel('Account holder').fill('Bob');
  await ask.getByLabel('IBAN').fill('NL91ABNA0417164301');
  await ask.getByRole('button', { name: 'Continue' }).click();
  await expect(ask.getByLabel('IBAN')).toHaveAttribute('aria-invalid', 'true');
  await ask.getByLabel('IBAN').fill(HIS);
  await ask.getByRole('button', { name: 'Continue' }).click();
  await pay(bob, { first: true });
  await expect(bob.page.getByRole('main').getByText('Waits')).toBeVisible();
  await alice.page.reload();
  await alice.inside();
  await alice.at('/me/wallet/reconcile');
  await desk.getByRole('button', { name: /2\.50/ }).click();
  const due = alice.page.getByRole('dialog');
  await due.getByRole('button', { name: 'Pay it now' }).click();
  await due.getByRole('button', { name: 'It is paid' }).click();
  await due.getByRole('button', { name: 'It is paid' }).click();
  await expect(bob.page.getByRole('main').getByText('Paid', { exact: true })).toBeVisible();
  await has(bob, '60.00');

  // What nobody has begun to pay he takes back.
  await bob.at('/me/wallet/withdraw');
  await bob.page.getByRole('button', { name: 'Pay out' }).click();
  await ask.getByLabel('Amount').fill('1.50');
  await ask.getByLabel('Account holder').fill('Bob');
  await ask.getByLabel('IBAN').fill(HIS);
  await ask.getByRole('button', { name: 'Continue' }).click();
  await pay(bob);
  await bob.page.getByRole('main').getByRole('button', { name: /1\.50/ }).click();
  await clean(bob.page, 'a withdrawal to take back');
  await ask.getByRole('button', { name: 'Take it back' }).click();
  await expect(bob.page.getByRole('main').getByText('Taken back')).toBeVisible();
  await has(bob, '60.00');

  await bob.at('/me/wallet/books');
  await expect(bob.page.getByText('No day is signed yet')).toBeVisible();
  await clean(bob.page, 'signed books, before the first day');
});
