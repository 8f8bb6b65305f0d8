import { expect, test } from '../support/test.ts';
import { PASSWORD } from '../support/person.ts';

test('mistakes at sign-up are told under their fields', async ({ person, node }) => {
  const first = await person('first');
  const link = await node.invite();
  await first.signUp(link);

  const second = await person('second');
  const { page } = second;
  await page.goto(node.url);
  await page.getByRole('button', { name: 'Create account' }).click();
  const submit = page.getByRole('button', { name: 'Create account' });
  await page.getByLabel('User name').fill('-no-');
  await submit.click();
  await expect(page.getByText('begin and end with a letter or digit')).toBeVisible();
  await expect(page.getByLabel('User name')).toHaveAttribute('aria-invalid', 'true');

  await page.getByLabel('User name').fill(second.name);
  await page.getByLabel('Password', { exact: true }).fill('short');
  await expect(page.getByText('Too short')).toBeVisible();
  await page.getByLabel('Invite').fill(await node.invite());
  await submit.click();
  await expect(page.getByText('Please choose a longer password')).toBeVisible();

  // An invite that was used up, then a name that is taken.
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('Invite').fill(link);
  await submit.click();
  await expect(page.getByText('This invite was already used or has expired.')).toBeVisible({ timeout: 60_000 });
  // By the link itself it is the same, and there is a field for another one.
  await page.goto(`${node.url}/#/welcome`);
  await page.goto(link);
  await second.fillSignUp();
  await expect(page.getByText('This invite was already used or has expired.')).toBeVisible({ timeout: 60_000 });
  await page.getByLabel('Invite').fill(await node.invite());
  await page.getByLabel('User name').fill(first.name);
  await submit.click();
  await expect(page.getByText('This name is taken.')).toBeVisible({ timeout: 60_000 });
});

test('signing out forgets everything here; the password, or the 24 words, bring it back', async ({ pair }) => {
  const [alice, bob] = await pair();
  await bob.say('to the first device');
  await alice.sees(['to the first device']);
  const { page } = alice;

  await alice.at('/me/sign-out');
  await expect(page.getByText('This is the only device of your account.')).toBeVisible();
  const out = page.getByRole('main').getByRole('button', { name: 'Sign out' });
  await expect(out).toBeDisabled();
  await page.getByLabel('Yes, remove everything from this device').check();
  await out.click();
  await expect(page.getByRole('heading', { name: 'Welcome to Lindenhof' })).toBeVisible();
  await expect(page.getByText('This device was signed out.')).toHaveCount(0);
  await expect(page).toHaveURL(/#\/chats$/);
  expect(await kept(alice.page)).toEqual({ history: 0 });

  await alice.signIn('not my password at all');
  await expect(page.getByText('The name or the password is wrong.')).toBeVisible({ timeout: 60_000 });
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await alice.inside();
  // Contacts come back from the vault.
  await alice.openChat(bob);
  await bob.say('to the second device');
  await expect(alice.bubbles.last()).toHaveText('to the second device');

  // On another browser, with the words, and a new password.
  await alice.at('/me/sign-out');
  await page.getByLabel('Yes, remove everything from this device').check();
  await out.click();
  await page.getByRole('link', { name: 'I have my 24 recovery words' }).click();
  await page.getByLabel('User name').fill(alice.name);
  const words = page.getByLabel('Your 24 words');
  await words.fill([...alice.words].reverse().join(' '));
  await page.getByLabel('New password').fill('another walk by the sea');
  const recover = page.getByRole('button', { name: 'Recover account' });
  await recover.click();
  await expect(page.getByText(/not the right words|do not belong/)).toBeVisible({ timeout: 60_000 });
  await words.fill(alice.words.join('  ').toUpperCase());
  await recover.click();
  await alice.inside();
  await alice.openChat(bob);
  await alice.say('I am back');
  await expect(bob.bubbles.last()).toHaveText('I am back');
});

/** What is left in the browser's database. */
async function kept(page: import('@playwright/test').Page): Promise<{ history: number }> {
  return page.evaluate(
    () =>
      new Promise<{ history: number }>((resolve, reject) => {
        const opening = indexedDB.open('weft');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const count = opening.result.transaction('history').objectStore('history').count();
          count.onsuccess = () => {
            opening.result.close();
            resolve({ history: count.result });
          };
        };
      }),
  );
}

test('the words can be put off, and stay on offer until they were checked', async ({ person, node }) => {
  const alice = await person('alice');
  const { page } = alice;
  await page.goto(await node.invite());
  await alice.fillSignUp();
  await page.getByRole('button', { name: 'Do this later' }).click({ timeout: 60_000 });
  await alice.at('/me');
  await page.getByRole('link', { name: /Your recovery words/ }).click();
  const list = page.getByRole('main').getByRole('listitem');
  await expect(list).toHaveCount(24);
  await page.getByRole('button', { name: 'I have written them down' }).click();
  for (const field of await page.getByRole('textbox', { name: /^Word \d+$/ }).all()) await field.fill('wrong');
  await page.getByRole('button', { name: 'Check' }).click();
  await expect(page.getByText('These are not the right words.')).toBeVisible();
  await page.getByRole('button', { name: 'Show the words again' }).click();
  await alice.keepWords();
  await expect(page.getByRole('link', { name: /Your recovery words/ })).toBeHidden();
});
