import { clean } from '../support/axe.ts';
import { scan, shown } from '../support/codes.ts';
import { pay } from '../support/money.ts';
import { marketDay, reads } from '../support/shop.ts';
import { expect, test } from '../support/two.ts';

test('a payment to a shop whose node is away waits for it, is asked about before a second one, and counts once', async ({ two }, info) => {
  test.slow();
  const { home, alice, bob } = two;
  const shop = await marketDay(two);
  await alice.at(`/me/shops/${shop}`);
  await alice.page.getByRole('link', { name: 'Shop sign' }).click();
  const sign = alice.page.getByRole('article', { name: 'Shop sign' }).getByRole('img');
  const { picture } = await shown(sign);

  // Bob has scanned the sign in two tabs. He pays in one, and when his own node is told of that the shop's one is gone.
  const tab = await bob.tab();
  const [sheet, left] = [await reads(bob, sign, info), await reads(tab, sign, info)];
  bob.tap.onRequest = (path, body) => {
    if (path.endsWith('/wallet/orders')) home.kill();
    return body;
  };
  await sheet.getByLabel('Amount').fill('12.50');
  await sheet.getByRole('button', { name: 'Pay 12.50' }).click();
  await pay(bob, { first: true, stays: 'Under way' });
  await expect(sheet).toContainText('12.50 EUR is on its way.');
  await clean(bob.page, 'a payment to a shop whose node is away');
  await sheet.getByRole('button', { name: 'Done' }).click();

  // The shop knows nothing of it: in the sheet that was left open he is asked before he pays once more.
  await left.getByLabel('Amount').fill('12.50');
  await expect(left).toContainText(/You paid this shop 12\.50\sEUR \(.*\), and its server has not answered yet\./);
  const again = left.getByRole('button', { name: 'Pay 12.50' });
  await expect(again).toBeDisabled();
  await clean(tab.page, 'a second payment to a shop, before the first is known there');
  // Anew it cannot be scanned.
  await expect(await scan(bob, picture)).toContainText('The other server does not answer at the moment.');
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();

  // Its node is back, and has it. Whoever was asked is told so, and is still asked.
  await home.again();
  // Something for the other node makes the connection anew.
  await alice.openRow(bob.displayName);
  await alice.say('we are back');
  await alice.at(`/me/shops/${shop}`);
  const roll = alice.page.getByRole('region', { name: 'Till roll' });
  await expect(roll.getByRole('button', { name: /12\.50/ })).toContainText('Paid', { timeout: 120_000 });
  await expect(left).toContainText(/The shop has the 12\.50\sEUR that you paid/, { timeout: 60_000 });
  await expect(again).toBeDisabled();
  await left.getByRole('button', { name: 'Pay again' }).click();
  await expect(again).toBeEnabled();
  await left.getByRole('button', { name: 'Close' }).click();

  // It counts once, with both.
  await bob.at('/me/wallet');
  await expect(bob.page.getByRole('group', { name: 'Accounts' })).toContainText('17.50', { timeout: 60_000 });
  await expect(bob.page.getByRole('button', { name: /12\.50/ })).toHaveCount(1);
  await alice.page.reload();
  await expect(roll.getByRole('button', { name: /12\.50/ })).toHaveCount(1);
  await expect(roll.getByRole('group', { name: 'Today' })).toContainText('12.50 EUR');
});
