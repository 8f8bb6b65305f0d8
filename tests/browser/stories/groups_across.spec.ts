import { groupLink, makeGroup, tell } from '../support/groups.ts';
import { expect, test } from '../support/two.ts';

test('a link that nobody has to agree to lets in a person of another node, who later goes', async ({ two }) => {
  test.slow();
  const { alice, bob } = two;
  await makeGroup(alice, 'Orchard', []);
  await alice.say('the apples are ripe');
  const link = await groupLink(alice, false);

  await bob.paste(link);
  await expect(bob.page.getByText('Orchard')).toBeVisible();
  await bob.page.getByRole('button', { name: 'Ask to join' }).click();
  // Nobody presses anything: Alice's device opens by itself, and the page leads on.
  await expect(bob.composer).toBeVisible({ timeout: 60_000 });
  await expect(bob.page.getByRole('heading', { level: 1, name: 'Orchard' })).toBeVisible();
  await expect(alice.log).toContainText(`added ${bob.displayName}`);
  await bob.say('I bring a ladder');
  await alice.sees(['the apples are ripe', 'I bring a ladder']);
  await alice.say('and I the baskets');
  await bob.sees(['I bring a ladder', 'and I the baskets']);

  await alice.openRow('Orchard');
  await alice.showDetails();
  const row = alice.details.getByRole('button', { name: new RegExp(bob.displayName) });
  await expect(row).toBeVisible();
  await expect(alice.details.getByText('2 members', { exact: true })).toBeVisible();

  await bob.showDetails();
  await bob.details.getByRole('button', { name: 'Leave group' }).click();
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Leave group' }).click();
  await expect(bob.details.getByText('You left this group.')).toBeVisible({ timeout: 60_000 });
  await expect(bob.composer).toHaveCount(0);
  await expect(bob.details.getByText(/member/)).toHaveCount(0);
  await expect(alice.log).toContainText(`${bob.displayName} left`, { timeout: 60_000 });
  await expect(alice.details.getByText('1 member', { exact: true })).toBeVisible();
  await expect(row).toHaveCount(0);
});

test('who is sent away from a group of another node sees that, keeps what was said, and cannot write', async ({ two }) => {
  test.slow();
  const { alice, bob } = two;
  await makeGroup(alice, 'Choir', [bob]);
  await alice.say('rehearsal on Tuesday');
  await bob.openRow('Choir');
  await bob.sees(['rehearsal on Tuesday']);
  await bob.say('I come');
  await alice.sees(['rehearsal on Tuesday', 'I come']);

  await tell(alice, bob, 'Remove from group');
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Remove from group' }).click();
  await expect(alice.log).toContainText(`You removed ${bob.displayName}`);
  await expect(bob.log).toContainText(/removed you from the group|You were removed from the group/, { timeout: 60_000 });
  await expect(bob.page.getByText('You are no longer in this group.').first()).toBeVisible();
  await expect(bob.composer).toHaveCount(0);
  await alice.say('only for those who stay');
  await alice.sees(['rehearsal on Tuesday', 'I come', 'only for those who stay']);
  await bob.page.reload();
  await bob.sees(['rehearsal on Tuesday', 'I come']);
  await expect(bob.composer).toHaveCount(0);
});
