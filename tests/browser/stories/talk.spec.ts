import { expect, test } from '../support/test.ts';

test('two people sign up, connect by link, talk, lose the network, reload, and see each message once and in order', async ({ person, node }) => {
  const alice = await person('alice');
  await alice.signUp(await node.invite());

  // Bob opens Alice's link, signs up by it, and is connected at once.
  const bob = await person('bob');
  await bob.page.goto(await alice.link());
  await expect(bob.page.getByRole('heading', { name: `${alice.displayName} invites you to talk` })).toBeVisible();
  await bob.fillSignUp();
  await bob.keepWords();
  await expect(bob.composer).toBeVisible();
  // Under the name that the link carries: nobody answers to a link, so it is the only one he has.
  await expect(bob.page.getByRole('heading', { level: 1, name: alice.displayName, exact: true })).toBeVisible();
  const said: string[] = [];

  await bob.say('hello from bob');
  said.push('hello from bob');
  await alice.openChat(bob);
  await alice.sees(said);
  await alice.say('hello from alice');
  said.push('hello from alice');
  await bob.sees(said);
  await expect(alice.delivery('hello from alice')).toHaveAttribute('data-delivery', 'read');

  // The cable is pulled: what Alice writes waits, and survives a reload of a page that has no network.
  alice.tap.cut();
  await expect(alice.page.getByText('No connection.')).toBeVisible();
  for (const text of ['written offline 1', 'written offline 2']) {
    await alice.say(text);
    said.push(text);
  }
  await alice.sees(said);
  await expect(alice.delivery('written offline 2')).toHaveAttribute('data-delivery', /queued|sending/);
  await bob.say('while you were away');

  alice.tap.mend();
  await expect(bob.bubbles).toHaveCount(5);
  await expect(alice.bubbles).toHaveCount(5);

  // Both have all five, each once; the node's order is the order on both sides.
  const order = await bob.bubbles.allInnerTexts();
  expect([...order].sort()).toEqual([...said, 'while you were away'].sort());
  expect(order.indexOf('written offline 1')).toBeLessThan(order.indexOf('written offline 2'));
  await alice.sees(order);

  for (const someone of [alice, bob]) {
    await someone.page.reload();
    await someone.sees(order);
  }
  await bob.say('still here');
  await alice.sees([...order, 'still here']);
});
