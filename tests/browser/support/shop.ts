import { expect, type Locator, type TestInfo } from '@playwright/test';
import { byZbar, scan, shown } from './codes.ts';
import { begin, issueEuros, issueTo, pay } from './money.ts';
import type { Person } from './person.ts';
import type { Two } from './two.ts';

export const TITLE = '街角面包店 Corner Bakery';

/** Opens a shop and stands at its till; says what it is called in addresses. */
export async function openShop(owner: Person): Promise<string> {
  const { page } = owner;
  const name = `${owner.name}-shop`;
  await owner.at('/me/shops');
  await page.getByRole('button', { name: 'Open a shop' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByLabel('Name of the shop').fill(TITLE);
  await sheet.getByRole('textbox', { name: 'Address', exact: true }).fill(name);
  await sheet.getByLabel('City').fill('Berlin');
  await sheet.getByLabel('Country').fill('DE');
  await sheet.getByLabel('Kind of business').selectOption('Bakery');
  await sheet.getByRole('button', { name: 'Open a shop' }).click();
  await expect(page.getByRole('heading', { level: 1, name: TITLE })).toBeVisible();
  return name;
}

/** A code of the shop, as somebody scans it: what the app and zbarimg read in it is what was drawn. */
export async function reads(person: Person, code: Locator, info: TestInfo): Promise<Locator> {
  const { text, picture } = await shown(code);
  const other = await byZbar(picture, info);
  if (other !== null) expect(other).toBe(text);
  const sheet = await scan(person, picture);
  await expect(sheet.locator('[data-scanned]')).toHaveAttribute('data-scanned', text);
  await expect(sheet).toContainText(TITLE);
  return sheet;
}

/** Alice's node issues euros, which bob's node takes for up to 40.00; bob has 30.00 of them, and alice a shop, by this name. */
export async function marketDay({ home, away, alice, bob }: Two): Promise<string> {
  await issueEuros(alice);
  await issueTo(alice, alice, '50');
  await home.agree(away, 'EUR', '40.00');
  for (const someone of [alice, bob]) {
    await someone.page.reload();
    await someone.inside();
  }
  const shop = await openShop(alice);
  await alice.openRow(bob.displayName);
  const gift = await begin(alice, 'Transfer');
  await gift.getByLabel('Amount').fill('30');
  await gift.getByRole('button', { name: 'Continue' }).click();
  await pay(alice, { first: true });
  await bob.openRow(alice.displayName);
  const card = bob.log.locator('[data-open]').filter({ hasText: '30.00' });
  await expect(card).toHaveAttribute('data-state', 'held', { timeout: 60_000 });
  await card.click();
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await bob.at('/me/wallet');
  await expect(bob.page.getByRole('group', { name: 'Accounts' })).toContainText('30.00', { timeout: 60_000 });
  return shop;
}
