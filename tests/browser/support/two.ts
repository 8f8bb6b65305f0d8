import { OwnNode } from './own-node.ts';
import { expect, test as base } from './test.ts';
import type { Person } from './person.ts';

export interface Two {
  home: OwnNode;
  away: OwnNode;
  alice: Person;
  bob: Person;
}

/** Two nodes that know nothing of each other, and on each the person who owns it; the two are contacts, with their chat open. */
export const test = base.extend<{ two: Two }>({
  two: async ({ person }, use) => {
    const [home, away] = await Promise.all([OwnNode.start('Lindenhof'), OwnNode.start('Garden')]);
    try {
      const [alice, bob] = [await person('alice', {}, home), await person('bob', {}, away)];
      await alice.signUp(await home.invite());
      await bob.signUp(await away.invite());
      // The link leads to another node: pasted at one's own, it is enough.
      await alice.paste(await bob.link());
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

export { expect };
