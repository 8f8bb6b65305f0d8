import { readFile } from 'node:fs/promises';
import type { Locator } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { PASSWORD, type Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

const PIN = '271828';

function dialog(person: Person): Locator {
  return person.page.getByRole('dialog');
}

/** What the wallet says that there is. */
async function has(person: Person, amount: string): Promise<void> {
  await person.at('/me/wallet');
  await expect(person.page.getByRole('group', { name: 'Accounts' })).toContainText(amount);
}

/** Chooses a PIN where one is asked for: twice, and with the account's password. */
async function choosePin(person: Person): Promise<void> {
  const { page } = person;
  for (const field of ['New payment PIN', 'The same PIN again']) {
    await expect(page.getByLabel(field)).toBeFocused();
    await page.keyboard.type(PIN);
  }
  await page.getByLabel('Confirm with your account password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set payment PIN' }).click();
}

/** Adds a statement up, as whoever keeps books would: `12.34` is 1234. */
function readd(csv: string): { opening: number; closing: number; moved: number[] } {
  const [head, ...rows] = csv.trimEnd().split('\r\n').map((row) => row.split(','));
  expect(head).toEqual(['date', 'number', 'transfer', 'purpose', 'counterparty', 'amount', 'asset', 'state', 'balance', 'note']);
  const minor = (text = ''): number => Math.round(Number(text) * 100);
  const [first, last] = [rows[0], rows.at(-1)];
  expect([first?.[3], last?.[3]]).toEqual(['opening balance', 'closing balance']);
  let balance = minor(first?.[8]);
  const moved: number[] = [];
  for (const row of rows.slice(1, -1)) {
    if (row[7] === 'done') moved.push(minor(row[5]));
    balance += row[7] === 'done' ? minor(row[5]) : 0;
    expect(minor(row[8]), row.join()).toBe(balance);
  }
  return { opening: minor(first?.[8]), closing: minor(last?.[8]), moved };
}

test('a node issues euros, alice sends some to bob, who accepts and gives a part back, and her statement adds up', async ({ home }) => {
  test.slow();
  const { olga, alice, bob } = await home(['olga', 'alice', 'bob']);
    await bob.follow(await alice.link());

    // The owner says what there is, and issues some.
    await olga.at('/me/money');
    await expect(olga.page.getByRole('heading', { name: 'This server issues nothing' })).toBeVisible();
    await clean(olga.page, 'nothing is issued');
    await olga.page.getByRole('button', { name: 'Issue something new' }).click();
    await dialog(olga).getByLabel('Short name').fill('eur1234567890');
    await dialog(olga).getByRole('button', { name: 'Save' }).click();
    await expect(dialog(olga)).toContainText('Give it a name.');
    await dialog(olga).getByLabel('Short name').fill('eur');
    await dialog(olga).getByLabel('Name', { exact: true }).fill('Euro');
    await dialog(olga).getByLabel('What stands behind it').fill('One euro each, in the till.');
    await dialog(olga).getByLabel('Most that one payment moves').fill('50.00');
    await clean(olga.page, 'what is to be issued');
    await dialog(olga).getByRole('button', { name: 'Save' }).click();
    await olga.page.getByRole('button', { name: 'Euro' }).click();
    await expect(dialog(olga)).toContainText('50.00');
    await dialog(olga).getByRole('button', { name: 'Issue to somebody' }).click();
    await dialog(olga).getByLabel('Member').fill(alice.name);
    await dialog(olga).getByLabel('Amount').fill('100.00');
    await expect(dialog(olga)).toContainText(alice.address);
    await clean(olga.page, 'before it is issued');
    await dialog(olga).getByRole('button', { name: /^Issue 100\.00/ }).click();
    await expect(olga.page.getByRole('main')).toContainText('100.00 EUR in circulation');

    // It is there, without a reload.
    await has(alice, '100.00');
    await clean(alice.page, 'wallet');

    // Alice chooses a PIN, and sends.
    await alice.page.getByRole('link', { name: 'Set payment PIN' }).click();
    await choosePin(alice);
    await expect(alice.page.getByRole('link', { name: 'Change payment PIN' })).toBeVisible();
    await alice.openChat(bob);
    await alice.page.getByRole('button', { name: 'Money', exact: true }).click();
    await alice.page.getByRole('menuitem', { name: 'Transfer' }).click();
    // What is too much is said before the PIN.
    await dialog(alice).getByLabel('Amount').fill('60');
    await expect(dialog(alice)).toContainText(/One payment may be 50\.00\sEUR at most\./);
    await clean(alice.page, 'more than one payment may be');
    await dialog(alice).getByLabel('Amount').fill('12.34');
    await dialog(alice).getByRole('button', { name: 'Continue' }).click();
    await expect(dialog(alice)).toContainText(bob.displayName);
    await alice.page.keyboard.type('000000');
    await expect(dialog(alice)).toContainText('This is not your payment PIN.');
    await clean(alice.page, 'payment PIN');
    await alice.page.keyboard.type(PIN);
    await expect(dialog(alice)).toHaveCount(0);

    // Until he accepts it is held back.
    await has(alice, '87.66');
    await expect(alice.page.getByRole('group', { name: 'Accounts' })).toContainText('12.34 EUR held back');
    await bob.openChat(alice);
    await bob.log.getByText('12.34 EUR').click();
    await dialog(bob).getByRole('button', { name: 'Accept' }).click();
    await expect(dialog(bob).getByRole('button', { name: 'Accept' })).toHaveCount(0);
    await dialog(bob).getByRole('button', { name: 'Close' }).last().click();
    await has(bob, '12.34');
    await expect(alice.page.getByRole('group', { name: 'Accounts' })).not.toContainText('held back');
    await has(alice, '87.66');

    // Bob gives a part back, and has to choose a PIN first.
    await bob.page.getByRole('button', { name: new RegExp(`${alice.displayName}.*12.34 EUR`) }).click();
    await clean(bob.page, 'a line of the history');
    await dialog(bob).getByRole('button', { name: 'Refund' }).click();
    await expect(dialog(bob).getByLabel('How much goes back')).toHaveValue('12.34');
    await dialog(bob).getByLabel('How much goes back').fill('12.35');
    await dialog(bob).getByRole('button', { name: 'Continue' }).click();
    await expect(dialog(bob).getByLabel('How much goes back')).toBeFocused();
    await dialog(bob).getByLabel('How much goes back').fill('2.34');
    await dialog(bob).getByRole('button', { name: 'Continue' }).click();
    await choosePin(bob);
    await expect(bob.page.getByLabel('Payment PIN')).toBeFocused();
    await bob.page.keyboard.type(PIN);
    await expect(dialog(bob)).toHaveCount(0);
    await has(bob, '10.00');
    await expect(bob.page.getByRole('button', { name: new RegExp(`${alice.displayName}.*12.34 EUR`) })).toContainText('Partly refunded');
    await has(alice, '90.00');

    // The statement adds up to what the wallet says.
    await alice.page.getByRole('link', { name: 'Statement' }).click();
    await alice.page.getByRole('button', { name: 'Show statement' }).click();
    const statement = alice.page.getByRole('article', { name: 'Statement' });
    await expect(statement).toContainText('90.00 EUR');
    await clean(alice.page, 'statement');
    const download = alice.page.waitForEvent('download');
    await alice.page.getByRole('button', { name: 'Download CSV' }).click();
    const file = await download;
    expect(file.suggestedFilename()).toMatch(/^weft-EUR-\d{4}-\d\d-\d\d-\d{4}-\d\d-\d\d\.csv$/);
    expect(readd(await readFile(await file.path(), 'utf8'))).toEqual({ opening: 0, closing: 9_000, moved: [10_000, -1_234, 234] });

    // On paper there is the statement alone.
    await alice.page.emulateMedia({ media: 'print' });
    await expect(statement).toBeVisible();
    await expect(alice.page.getByRole('button', { name: 'Download CSV' })).toBeHidden();
    await expect(alice.page.getByRole('navigation', { name: 'Sections' })).toBeHidden();
    await alice.page.emulateMedia({ media: 'screen' });

    // Who is stopped pays nothing any more.
    await olga.page.getByRole('button', { name: 'Euro' }).click();
    await dialog(olga).getByRole('button', { name: 'Stop or allow payments' }).click();
    await dialog(olga).getByLabel('Member').fill(alice.address);
    await dialog(olga).getByRole('button', { name: 'Stop payments' }).click();
    await expect(dialog(olga)).toHaveCount(0);
    await alice.page.reload();
    await has(alice, 'The operator has stopped payments from this account.');
});
