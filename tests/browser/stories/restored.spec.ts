import { clean } from '../support/axe.ts';
import { around, makeGroup, tell } from '../support/groups.ts';
import { OwnNode } from '../support/own-node.ts';
import { expect, test } from '../support/test.ts';

test('whom a node brings back into a group with its backup is shown before anybody goes on there', async ({ person }) => {
  test.slow();
  const node = await OwnNode.start('Lindenhof');
  try {
    const [alice, bob, carol] = [await person('alice', {}, node), await person('bob', {}, node), await person('carol', {}, node)];
    for (const someone of [alice, bob, carol]) await someone.signUp(await node.invite());
    await around(alice, [bob, carol]);
    await makeGroup(alice, 'Market', [bob, carol]);
    await alice.say('hello both');
    for (const guest of [bob, carol]) {
      await guest.openRow('Market');
      await guest.sees(['hello both']);
    }
    // Bob and Carol are no contacts: he knows her by what she calls herself.
    await carol.say('hello from carol');
    for (const who of [alice, bob]) await who.sees(['hello both', 'hello from carol']);
    await node.backUp();
    await tell(alice, carol, 'Remove from group');
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Remove from group' }).click();
    await expect(bob.log).toContainText(`${alice.displayName} removed ${carol.displayName}`);
    await node.loseDisk();

    // As the backup has it, Carol was never sent away.
    for (const who of [alice, bob]) {
      const there = who.page.getByRole('main').getByRole('region', { name: 'Out of step: decide whether to enter' });
      await expect(there.getByRole('listitem').filter({ hasText: carol.displayName })).toContainText('New');
      await expect(there.getByRole('listitem').filter({ hasText: (who === alice ? bob : alice).displayName })).not.toContainText('New');
      await expect(who.composer).toHaveCount(0);
    }
    await clean(alice.page, 'a group that came back');
    for (const who of [alice, bob]) {
      await who.page.getByRole('main').getByRole('button', { name: 'Enter', exact: true }).click();
      await expect(who.composer).toBeVisible();
    }
    await alice.say('go, Carol');
    await bob.sees(['hello both', 'hello from carol', 'go, Carol']);
    await tell(alice, carol, 'Remove from group');
    await alice.page.getByRole('dialog').getByRole('button', { name: 'Remove from group' }).click();
    await expect(bob.log.getByText(`${alice.displayName} removed ${carol.displayName}`)).toHaveCount(2);
  } finally {
    await node.stop();
  }
});
