import type { Locator } from '@playwright/test';
import type { Person } from '../support/person.ts';
import { expect, test } from '../support/two.ts';

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
  // What Bob wrote is not there, and what Alice writes stays at her own node, which orders the chat.
  await alice.openRow(bob.displayName);
  await alice.say('nor can you hear me');
  await expect(alice.delivery('nor can you')).toHaveAttribute('data-delivery', 'sent');
  await alice.sees(['hello across', 'nor can you hear me']);
  await bob.sees(['hello across', 'do you hear me?']);
  await alice.at('/me/nodes');

  await blocked.click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Unblock' }).click();
  await expect(blocked).toHaveCount(0);
  await alice.openRow(bob.displayName);
  await alice.say('now I do');
  const texts = await expectAll(bob, ['hello across', 'do you hear me?', 'nor can you hear me', 'now I do']);
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
