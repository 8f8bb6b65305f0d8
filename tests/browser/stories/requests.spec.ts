import { expect, test } from '../support/test.ts';
import type { Person } from '../support/person.ts';

async function ask(from: Person, to: Person, greeting: string): Promise<void> {
  await from.at('/contacts/add');
  await from.page.getByLabel('Link or address').fill(to.address);
  await from.page.getByRole('button', { name: 'Continue' }).click();
  await from.page.getByLabel('A line of greeting').fill(greeting);
  await from.page.getByRole('button', { name: 'Send request' }).click();
  await expect(from.page.getByText('Your request was sent.')).toBeVisible();
  await expect(from.page.getByRole('main').getByRole('button', { name: 'Block' })).toHaveCount(0);
}

test('a request by address is accepted, another is declined, and what was written before goes out then', async ({ home }) => {
  const { alice, bob, carol } = await home(['alice', 'bob', 'carol']);

  await ask(bob, alice, 'we met at the market');
  await bob.page.getByRole('main').getByRole('button', { name: 'Message' }).click();
  await bob.say('written before you agreed');
  await expect(bob.delivery('written before you agreed')).toHaveAttribute('data-delivery', 'queued');

  await alice.at('/contacts');
  const request = alice.page.getByRole('article', { name: `Request from ${bob.displayName}` });
  await expect(request).toContainText('we met at the market');
  await request.getByRole('button', { name: 'Accept' }).click();
  await alice.sees(['written before you agreed']);
  await expect(bob.delivery('written before you agreed')).toHaveAttribute('data-delivery', /delivered|read/);

  await ask(carol, alice, 'hello?');
  await alice.at('/contacts');
  const second = alice.page.getByRole('article', { name: `Request from ${carol.displayName}` });
  await second.getByRole('button', { name: 'Decline' }).click();
  await expect(second).toBeHidden();
  await alice.page.reload();
  await expect(alice.page.getByRole('heading', { name: '1 contact' })).toBeVisible();
  await expect(second).toBeHidden();
});

test('who was accepted stays on the list of chats, and the chat opens by its address after a reload', async ({ home }) => {
  const { alice, bob, carol } = await home(['alice', 'bob', 'carol']);
  await bob.follow(await alice.link());
  await alice.openChat(bob);
  await alice.say('another chat');
  await ask(carol, alice, 'hello?');
  await alice.at('/contacts');
  await alice.page.getByRole('article', { name: `Request from ${carol.displayName}` }).getByRole('button', { name: 'Accept' }).click();
  await expect(alice.composer).toBeVisible();
  const row = alice.page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name: new RegExp(carol.displayName) });
  await expect(row).toContainText('No messages yet');
  await alice.page.reload();
  await expect(alice.composer).toBeVisible();
  await expect(row).toContainText('No messages yet');
  await alice.at('/chats');
  await alice.page.reload();
  await row.click();
  await alice.say('hello, Carol');
  await carol.openChat(alice);
  await carol.sees(['hello, Carol']);
});

test('who is blocked reaches nobody', async ({ pair }) => {
  const [alice, bob] = await pair();
  await bob.say('before');
  await alice.sees(['before']);
  await alice.page.getByRole('button', { name: 'Details' }).click();
  const details = alice.page.getByRole('complementary', { name: 'Details' });
  await details.getByRole('button', { name: 'Block' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await expect(alice.page.getByText('You blocked this person.')).toBeVisible();
  await bob.say('after');
  await expect(bob.delivery('after')).not.toHaveAttribute('data-delivery', 'sending');
  await alice.page.reload();
  await alice.sees(['before']);
});

test('what is no link, one own link, and an unknown person each get their words', async ({ home }) => {
  const { alice } = await home(['alice']);
  const own = await alice.link();
  await alice.at('/contacts/add');
  const field = alice.page.getByLabel('Link or address');
  const go = alice.page.getByRole('button', { name: 'Continue' });
  await field.fill('certainly not a link');
  await go.click();
  await expect(alice.page.getByText('This is no Weft link or address')).toBeVisible();
  await field.fill(own);
  await go.click();
  await expect(alice.page.getByText('This is your own link.')).toBeVisible();
  await field.fill(alice.address);
  await go.click();
  await expect(alice.page.getByText('This is your own address.')).toBeVisible();
  await field.fill('nobody-at-all@home.example');
  await go.click();
  await alice.page.getByRole('button', { name: 'Send request' }).click();
  await expect(alice.page.getByText('Nobody of that name was found.')).toBeVisible();
});

test('a new link is another one, the old one stays good, and who comes by them is on the list of chats', async ({ home }) => {
  const { alice, bob, carol } = await home(['alice', 'bob', 'carol']);
  const { page } = alice;
  const first = await alice.link();
  await page.getByRole('button', { name: 'Make a new link' }).click();
  await expect(page.getByText('This link is new. Links that you handed out before stay good until they end.')).toBeVisible();
  const second = await alice.link();
  expect(second).not.toBe(first);
  await page.reload();
  expect(await alice.link()).toBe(second);

  await alice.at('/chats');
  await expect(page.getByRole('heading', { name: 'No chats yet' })).toBeVisible();
  await bob.follow(first);
  await expect(page.getByRole('status').getByText(`${bob.displayName} is your contact now.`)).toBeVisible();
  await carol.follow(second);
  await expect(page.getByRole('heading', { name: 'Say hello' })).toBeVisible();
  const list = page.getByRole('region', { name: 'Chats' });
  await expect(list.getByRole('button', { name: new RegExp(bob.displayName) })).toBeVisible();
  await list.getByRole('button', { name: new RegExp(carol.displayName) }).click();
  await alice.say('hello');
  await carol.sees(['hello']);
});
