import type { Locator } from '@playwright/test';
import { OwnNode } from '../support/own-node.ts';
import { expect, test as base } from '../support/test.ts';
import type { Person } from '../support/person.ts';

/** Two nodes that know nothing of each other, and on each the person who owns it; the two are contacts, with their chat open. */
const test = base.extend<{ two: { home: OwnNode; away: OwnNode; alice: Person; bob: Person } }>({
  two: async ({ person }, use) => {
    const [home, away] = await Promise.all([OwnNode.start('Lindenhof'), OwnNode.start('Garden')]);
    try {
      const [alice, bob] = [await person('alice', {}, home), await person('bob', {}, away)];
      await alice.signUp(await home.invite());
      await bob.signUp(await away.invite());
      // The link leads to another node: pasted at one's own, it is enough.
      const link = await bob.link();
      await alice.at('/contacts/add');
      await alice.page.getByLabel('Link or address').fill(link);
      await alice.page.getByRole('button', { name: 'Continue' }).click();
      await alice.page.getByRole('main').getByRole('button', { name: 'Add contact' }).click();
      await expect(alice.composer).toBeVisible();
      await alice.say('hello across');
      // The other node has agreed as soon as it was asked; its word of that comes by itself.
      await expect(alice.page.getByText('Waiting for them to accept')).toHaveCount(0, { timeout: 60_000 });
      await bob.openRow(alice.displayName);
      await bob.sees(['hello across']);
      await use({ home, away, alice, bob });
    } finally {
      await Promise.all([home.stop(), away.stop()]);
    }
  },
});

test('what is written while the other node is away waits for it, and goes out when it is back', async ({ two }) => {
  test.slow();
  const { home, alice, bob } = two;
  await bob.say('hello back');
  await alice.sees(['hello across', 'hello back']);
  await expect(alice.delivery('hello across')).toHaveAttribute('data-delivery', 'read');

  // Alice's node orders the chat that she has begun.
  await home.halt();
  await bob.say('are you there?');
  const waits = waiting(bob);
  await expect(waits).toBeVisible();
  // One's own node has it: the device may be switched off.
  await bob.page.reload();
  await expect(waits).toBeVisible();

  await home.again();
  // Something for the other node makes the connection anew.
  await alice.say('back again');
  const texts = await expectAll(alice, ['hello across', 'hello back', 'are you there?', 'back again']);
  await bob.sees(texts);
  await expect(waits).toHaveCount(0);
  await expect(bob.delivery('are you there?')).toHaveAttribute('data-delivery', 'read');
});

test('the owner sees the other node, shuts it out, and lets it in again', async ({ two }) => {
  test.slow();
  const { alice, bob } = two;
  await alice.at('/me/nodes');
  const row = alice.page.getByRole('main').getByRole('button', { name: /Connected/ });
  await expect(row).toBeVisible();
  await row.click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Block', exact: true }).click();
  const blocked = alice.page.getByRole('main').getByRole('button', { name: /Blocked/ });
  await expect(blocked).toBeVisible();
  await bob.say('do you hear me?');
  await expect(waiting(bob)).toBeVisible();

  await blocked.click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Unblock' }).click();
  await expect(blocked).toHaveCount(0);
  await alice.openRow(bob.displayName);
  await alice.say('now I do');
  const texts = await expectAll(bob, ['hello across', 'do you hear me?', 'now I do']);
  await alice.sees(texts);
});

/** Below a message that waits for another node. */
function waiting(person: Person): Locator {
  return person.log.getByRole('paragraph').filter({ hasText: /^Waiting for \S+/ });
}

/** All of these are there, each once; the order is for the hub to say. */
async function expectAll(person: Person, texts: string[]): Promise<string[]> {
  await expect(person.bubbles).toHaveCount(texts.length, { timeout: 60_000 });
  const there = await person.bubbles.allInnerTexts();
  expect([...there].sort()).toEqual([...texts].sort());
  return there;
}
