import { expect, test } from '../support/test.ts';
import { PASSWORD, type Person } from '../support/person.ts';

test('a new password is set by who knows the old one; from then on only the new one opens', async ({ home }) => {
  const { alice } = await home(['alice']);
  const { page } = alice;
  const fresh = 'another walk by the sea';
  await alice.at('/me');
  await page.getByRole('link', { name: 'Change password' }).click();
  const [old, next] = [page.getByLabel('Current password'), page.getByLabel('New password', { exact: true })];
  const change = page.getByRole('main').getByRole('button', { name: 'Change password' });

  await old.fill('not my password at all');
  await next.fill('short');
  await change.click();
  await expect(page.getByText('Please choose a longer password')).toBeVisible();
  await next.fill(fresh);
  await change.click();
  await expect(page.getByText('This is not your current password.')).toBeVisible({ timeout: 60_000 });
  await expect(old).toHaveAttribute('aria-invalid', 'true');
  await expect(next).toHaveValue(fresh);
  alice.tap.cut();
  await old.fill(PASSWORD);
  await change.click();
  await expect(page.getByText('The server cannot be reached.')).toBeVisible({ timeout: 60_000 });
  alice.tap.mend();
  await change.click();
  await expect(page.getByText('Your password was changed.')).toBeVisible({ timeout: 60_000 });
  await expect(page).toHaveURL(/#\/me$/);

  await alice.at('/me/sign-out');
  await page.getByLabel('Yes, remove everything from this device').check();
  await page.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('heading', { name: 'Welcome to Lindenhof' })).toBeVisible();
  await alice.signIn();
  await expect(page.getByText('The name or the password is wrong.')).toBeVisible({ timeout: 60_000 });
  await page.getByLabel('Password', { exact: true }).fill(fresh);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await alice.inside();
});

test('devices are called by their names, on all of them', async ({ home }) => {
  const { alice, node, browserOf } = await home(['alice']);
  const userAgent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
  const phone = await browserOf('phone', { userAgent, viewport: { width: 390, height: 844 } });
  await phone.page.goto(`${node.url}/#/sign-in`);
  await phone.page.getByLabel('User name').fill(alice.name);
  await phone.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await phone.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await phone.inside();
  const row = (of: Person, name: string) => of.page.getByRole('main').locator('.row').filter({ hasText: name });
  for (const [of, own, other] of [[phone, 'Safari on iPhone', /\w+ on Linux/], [alice, /\w+ on Linux/, 'Safari on iPhone']] as const) {
    // The other device's word may still be on its way: the page is looked at anew until it is there.
    await expect(async () => {
      await of.at('/me');
      await of.at('/me/devices');
      await expect(row(of, '').filter({ hasText: other })).toHaveCount(1, { timeout: 1_000 });
    }).toPass();
    await expect(row(of, 'This device')).toContainText(own);
    await expect(row(of, '').filter({ hasText: other })).toContainText('Last connected');
  }
});

test('who has nobody yet is told how to begin, and the words fit on a small laptop', async ({ person, node }) => {
  const alice = await person('alice', { viewport: { width: 1280, height: 800 } });
  const { page } = alice;
  await page.goto(await node.invite());
  await alice.fillSignUp();
  await expect(page.getByRole('listitem')).toHaveCount(24, { timeout: 60_000 });
  for (const name of ['I have written them down', 'Do this later']) await expect(page.getByRole('button', { name })).toBeInViewport({ ratio: 1 });
  await alice.keepWords();
  await alice.inside();
  await expect(page.getByRole('heading', { name: 'Begin with a contact' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Choose a chat' })).toHaveCount(0);
  await alice.at('/me');
  await expect(page.getByRole('heading', { name: 'Choose a setting' })).toBeVisible();
});

test('a link says for how many it is, and its code is not too dense to scan', async ({ home }) => {
  const { olga: owner } = await home(['olga']);
  await owner.link();
  const { page } = owner;
  const limits = page.getByText('Valid until');
  await expect(limits).toContainText('Up to 100 people can add you with it. Up to 20 newcomers can join with it.');
  await page.getByRole('checkbox').uncheck();
  await expect(limits).toContainText('Up to 100 people');
  await expect(limits).not.toContainText('newcomers');
  await page.getByRole('checkbox').check();
  await expect(limits).toContainText('newcomers');
  // With whole words as keys it was 57 by 57.
  const modules = await page.getByRole('img', { name: 'QR code of your link' }).locator('canvas').evaluate((canvas: HTMLCanvasElement) => canvas.width - 8);
  expect(modules).toBeLessThanOrEqual(53);
});

test('the line above new messages goes when they are answered, and the search leads to the safety number', async ({ pair }) => {
  const [alice, bob] = await pair();
  await alice.at('/chats');
  await bob.say('are you there?');
  await expect(alice.page.getByRole('link', { name: new RegExp(bob.displayName) })).toContainText('are you there?');
  await alice.openChat(bob);
  const line = alice.log.getByText('New messages', { exact: true });
  await expect(line).toBeVisible();
  await alice.say('yes');
  await bob.sees(['are you there?', 'yes']);
  await expect(line).toHaveCount(0);

  const { page } = alice;
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('safety');
  await page.getByRole('option', { name: `Safety number: ${bob.displayName}` }).click();
  await expect(page.getByRole('group', { name: 'Safety number' })).toBeVisible();
});

test('a text that is too long says so before it is sent, and is not lost', async ({ pair }) => {
  const [alice, bob] = await pair();
  const { page } = alice;
  const long = 'a long story. '.repeat(7_200);
  await page.evaluate((text) => navigator.clipboard.writeText(text), long);
  await alice.composer.focus();
  await page.keyboard.press('Control+v');
  await expect(alice.composer).toHaveValue(long);
  const told = page.getByRole('status').filter({ hasText: 'characters too many for one message' });
  await expect(told).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
  await alice.composer.press('Enter');
  await expect(alice.composer).toHaveValue(long);
  // Once, below the field: not by a passing line as well.
  await expect(page.getByText('characters too many for one message')).toHaveCount(1);
  // Elsewhere and back, and a reload: it still stands there.
  await alice.at('/me');
  await alice.openChat(bob);
  await expect(alice.composer).toHaveValue(long);
  await page.reload();
  await expect(alice.composer).toHaveValue(long);
  await alice.composer.fill('in short: hello');
  await expect(told).toHaveCount(0);
  await alice.composer.press('Enter');
  await bob.sees(['in short: hello']);
});
