import { expect, type Locator } from '@playwright/test';
import { PASSWORD, type Person } from './person.ts';

export const PIN = '271828';

/** The owner has the node issue euros. */
export async function issueEuros(owner: Person): Promise<void> {
  const { page } = owner;
  await owner.at('/me/money');
  await page.getByRole('button', { name: 'Issue something new' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByLabel('Short name').fill('EUR');
  await sheet.getByLabel('Name', { exact: true }).fill('Euro');
  await sheet.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('main').getByRole('button', { name: 'Euro' })).toBeVisible();
}

/** The owner brings some into the world, on somebody's account. */
export async function issueTo(owner: Person, to: Person, amount: string): Promise<void> {
  const { page } = owner;
  await owner.at('/me/money');
  await page.getByRole('main').getByRole('button', { name: 'Euro' }).click();
  const sheet = page.getByRole('dialog');
  await sheet.getByRole('button', { name: 'Issue to somebody' }).click();
  await sheet.getByLabel('Member').fill(to.name);
  await sheet.getByLabel('Amount').fill(amount);
  await sheet.getByRole('button', { name: /^Issue \d/ }).click();
  await expect(sheet).toHaveCount(0);
}

/** Chooses the PIN of the wallet before anything is paid. */
export async function setPin(who: Person): Promise<void> {
  await who.at('/me/wallet');
  await who.page.getByRole('link', { name: 'Set payment PIN' }).click();
  await choosePin(who.page.getByRole('main'));
  await expect(who.page.getByRole('link', { name: 'Change payment PIN' })).toBeVisible();
  }

/** Fills what asks for a new PIN, twice, and for the password of the account. */
async function choosePin(form: Locator): Promise<void> {
  await form.getByLabel('New payment PIN').fill(PIN);
  await form.getByLabel('The same PIN again').fill(PIN);
  await form.getByLabel('Confirm with your account password').fill(PASSWORD);
  await form.getByRole('button', { name: 'Set payment PIN' }).click();
}

/** Types the PIN that a payment asks for; whoever has none chooses it on the way, with the password of the
 * account. What it leads to is over then, or says `stays`. */
export async function pay(who: Person, { first = false, to, stays }: { first?: boolean; to?: Person; stays?: string } = {}): Promise<void> {
  const sheet = who.page.getByRole('dialog');
  if (first) await choosePin(sheet);
  const field = sheet.getByLabel('Payment PIN', { exact: true });
  await expect(field).toBeVisible();
  // Whom it goes to stands there before it goes.
  if (to) await expect(sheet).toContainText(to.address);
  await field.fill(PIN);
  if (stays) await expect(sheet).toContainText(stays, { timeout: 60_000 });
  else await expect(sheet).toHaveCount(0, { timeout: 60_000 });
}

/** Chooses from what the open chat offers beside its field. */
export async function begin(who: Person, what: string): Promise<Locator> {
  await who.page.getByRole('button', { name: 'Money', exact: true }).click();
  await who.page.getByRole('menuitem', { name: what }).click();
  return who.page.getByRole('dialog');
}

/** Minor units of what stands there: `3.21 EUR` is 321. */
export function cents(text: string): number {
  const found = /([\d,]+)\.(\d\d)\s*EUR/.exec(text);
  if (!found) throw new Error(`no amount in “${text}”`);
  return Number(`${found[1]?.replaceAll(',', '')}${found[2]}`);
}

/** The same of a number with its sign, in front of a currency or alone: `−1,234.50` is -123450. */
export function minor(text: string): number {
  const found = /^([+−-]?)([\d,]+)\.(\d\d)(\sEUR)?$/.exec(text);
  if (!found) throw new Error(`no amount in “${text}”`);
  const [, sign = '', whole = '', decimals = ''] = found;
  return Number(`${whole.replaceAll(',', '')}${decimals}`) * (sign === '−' || sign === '-' ? -1 : 1);
}
