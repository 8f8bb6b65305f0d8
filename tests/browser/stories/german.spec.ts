import { readFile } from 'node:fs/promises';
import { around } from '../support/groups.ts';
import { begin, issueEuros, issueTo, pay, setPin } from '../support/money.ts';
import { expect, test } from '../support/test.ts';

test('in a German browser 1.234,56 is typed, sent, and stands so in chat, history and statement', async ({ home }) => {
  test.slow();
  const { alice, bob } = await home(['alice', 'bob'], { options: { bob: { locale: 'de-DE' } } });
  await around(alice, [bob]);
  await issueEuros(alice);
  await issueTo(alice, bob, '5,000.00');
  await setPin(bob);
  await bob.at('/me/wallet');
  const accounts = bob.page.getByRole('group', { name: 'Accounts' });
  await expect(accounts).toContainText('5.000,00');

  // What is no number in either way is not guessed at.
  await bob.openChat(alice);
  const form = await begin(bob, 'Transfer');
  const amount = form.getByLabel('Amount');
  await expect(amount).toHaveAttribute('placeholder', '0,00');
  await amount.fill('1.234.56');
  await amount.blur();
  await expect(amount).toHaveAttribute('aria-invalid', 'true');
  await form.getByRole('button', { name: 'Continue' }).click();
  await expect(amount).toBeFocused();
  await amount.fill('1.234,56');
  await expect(amount).not.toHaveAttribute('aria-invalid', 'true');
  await form.getByRole('button', { name: 'Continue' }).click();
  await expect(bob.page.getByRole('dialog')).toContainText(/1\.234,56\sEUR/);
  await pay(bob, { to: alice });
  await expect(bob.log.locator('[data-open]')).toContainText('1.234,56');

  // It is the same money for whoever reads it in another way.
  await alice.openChat(bob);
  await alice.log.locator('[data-open]').filter({ hasText: '1,234.56' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await expect(alice.page.getByRole('dialog')).toContainText('You have received it');
  await alice.at('/me/wallet');
  await expect(alice.page.getByRole('group', { name: 'Accounts' })).toContainText('1,234.56');

  await bob.at('/me/wallet');
  await expect(accounts).toContainText('3.765,44');
  const line = bob.page.getByRole('button', { name: new RegExp(`${alice.displayName}.*1\\.234,56`) });
  await line.click();
  await expect(bob.page.getByRole('dialog')).toContainText(/1\.234,56\sEUR/);
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

  await bob.page.getByRole('link', { name: 'Statement' }).click();
  await bob.page.getByRole('button', { name: 'Show statement' }).click();
  const statement = bob.page.getByRole('article', { name: 'Statement' });
  await expect(statement.getByRole('row').nth(1)).toContainText('+5.000,00');
  await expect(statement.getByRole('row').nth(2)).toContainText(/−1\.234,56\s*3\.765,44/);
  await expect(statement).toContainText(/Closing balance\s*3\.765,44\sEUR/);
  // Programs read one form.
  const download = bob.page.waitForEvent('download');
  await bob.page.getByRole('button', { name: 'Download CSV' }).click();
  expect(await readFile(await (await download).path(), 'utf8')).toContain(',-1234.56,EUR,done,3765.44');
});
