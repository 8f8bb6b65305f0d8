import { clean } from '../support/axe.ts';
import { around, groupLink, makeGroup, tell } from '../support/groups.ts';
import { expect, test } from '../support/test.ts';

test('three people talk in a group, know each other by name, change roles, and go one after the other', async ({ home }) => {
  test.slow();
  const { alice, bob, carol } = await home(['alice', 'bob', 'carol']);
  await around(alice, [bob, carol]);
  await makeGroup(alice, 'Market', [bob, carol]);
  const said = ['hello both'];
  await alice.say('hello both');
  for (const guest of [bob, carol]) {
    await guest.openRow('Market');
    await guest.sees(said);
    await expect(guest.log).toContainText(`${alice.displayName} added`);
  }
  await expect(alice.delivery('hello both')).toHaveAttribute('data-delivery', 'read');

  // Bob and Carol are no contacts: Carol knows him by what he calls himself.
  await bob.say('hello from bob');
  said.push('hello from bob');
  await carol.sees(said);
  await expect(carol.log.getByRole('article', { name: `${bob.displayName}: hello from bob` })).toContainText(bob.displayName);
  await alice.sees(said);
  await carol.say('hello from carol');
  said.push('hello from carol');
  for (const someone of [alice, bob]) await someone.sees(said);
  // It is told every few seconds while somebody goes on.
  await expect(async () => {
    await bob.composer.press('x');
    for (const someone of [alice, carol]) await expect(someone.page.getByText(`${bob.displayName} is typing…`).first()).toBeVisible({ timeout: 1_000 });
  }).toPass({ timeout: 15_000 });
  await bob.composer.fill('');

  // Who is the only owner cannot go; an admin may rename.
  await alice.showDetails();
  await alice.details.getByRole('button', { name: 'Leave group' }).click();
  await expect(alice.page.getByRole('dialog')).toContainText('You are the only owner');
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Understood' }).click();
  await bob.showDetails();
  await expect(bob.details.getByRole('link', { name: 'Add members' })).toHaveCount(0);
  await tell(alice, bob, 'Make admin');
  await expect(carol.log).toContainText(`${alice.displayName} made ${bob.displayName} an admin`);
  await bob.details.getByRole('button', { name: 'Change name' }).click();
  await bob.page.getByRole('dialog').getByLabel('Group name').fill('Market on Saturday');
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
  for (const someone of [alice, bob, carol]) await expect(someone.page.getByRole('heading', { level: 1, name: 'Market on Saturday' })).toBeVisible();
  await expect(carol.log).toContainText(`${bob.displayName} named the group “Market on Saturday”`);

  // Carol is sent away: she keeps what was said, and nothing more comes.
  await tell(alice, carol, 'Remove from group');
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Remove from group' }).click();
  await expect(carol.log).toContainText('You were removed from the group');
  await expect(carol.page.getByText('You are no longer in this group.').first()).toBeVisible();
  await expect(carol.composer).toHaveCount(0);
  await expect(bob.log).toContainText(`${alice.displayName} removed ${carol.displayName}`);
  await bob.say('only the two of us');
  await alice.sees([...said, 'only the two of us']);
  await carol.sees(said);

  // Bob goes by himself.
  await bob.details.getByRole('button', { name: 'Leave group' }).click();
  await bob.page.getByRole('dialog').getByRole('button', { name: 'Leave group' }).click();
  await expect(bob.page.getByText('You left this group.').first()).toBeVisible();
  await expect(bob.composer).toHaveCount(0);
  await expect(alice.log).toContainText(`${bob.displayName} left`);
  await expect(alice.details.getByText('1 member', { exact: true })).toBeVisible();
  await alice.page.reload();
  await alice.sees([...said, 'only the two of us']);
  await expect(alice.page.getByRole('heading', { level: 1, name: 'Market on Saturday' })).toBeVisible();
});

test('who opens a group’s link asks, is let in by hand, and finds a link that has ended shut', async ({ home }) => {
  test.slow();
  const { alice, bob, carol } = await home(['alice', 'bob', 'carol']);
  await makeGroup(alice, 'Choir', []);
  await alice.say('first rehearsal on Tuesday');
  await alice.showDetails();
  await clean(alice.page, 'group');
  const link = await groupLink(alice);
  await clean(alice.page, 'link');
  await expect(alice.details.getByRole('img', { name: 'QR code of the group’s link' })).toHaveAttribute('data-content', link);

  // Pasted, as whoever got it from another node does.
  await bob.paste(link);
  await expect(bob.page.getByText('Choir')).toBeVisible();
  await clean(bob.page, 'a link to a group');
  await bob.page.getByRole('button', { name: 'Ask to join' }).click();
  await expect(bob.page.getByText('You have asked to join.')).toBeVisible();

  await alice.openRow('Choir');
  await alice.page.getByRole('main').getByRole('link', { name: '1 person asks to join' }).click();
  const request = alice.details.getByRole('article', { name: /^Request from/ });
  await expect(request).toContainText(bob.address);
  await clean(alice.page, 'somebody asks');
  await request.getByRole('button', { name: 'Let in' }).click();
  await expect(request).toHaveCount(0);

  // The page on which Bob asked leads on by itself.
  await expect(bob.composer).toBeVisible();
  await expect(bob.page.getByRole('heading', { level: 1, name: 'Choir' })).toBeVisible();
  await bob.say('I sing bass');
  await alice.sees(['first rehearsal on Tuesday', 'I sing bass']);
  await bob.at(new URL(link).hash.slice(1));
  await expect(bob.composer).toBeVisible();

  await alice.details.getByRole('link', { name: 'Group link and code' }).click();
  await alice.details.getByRole('button', { name: 'End all links' }).click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'End all links' }).click();
  await expect(alice.details.getByText('All links of this group have ended.')).toBeVisible();
  await carol.at(new URL(link).hash.slice(1));
  await carol.page.getByRole('button', { name: 'Ask to join' }).click();
  await expect(carol.page.getByText('This link has ended')).toBeVisible();
});

test('a link to a group that is opened before signing in is gone on with after it', async ({ home }) => {
  const { alice, browserOf } = await home(['alice', 'bob']);
  await makeGroup(alice, 'Walkers', []);
  const link = await groupLink(alice);

  const again = await browserOf('bob');
  await again.page.goto(link);
  await expect(again.page.getByRole('heading', { level: 1 })).toHaveText('You are invited to “Walkers”');
  await again.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await again.page.getByLabel('User name').fill(again.name);
  await again.page.getByLabel('Password', { exact: true }).fill('a long walk by the river');
  await again.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await expect(again.page.getByRole('heading', { level: 1, name: 'Join a group' })).toBeVisible({ timeout: 60_000 });
  await again.page.getByRole('button', { name: 'Ask to join' }).click();
  await expect(again.page.getByText('You have asked to join.')).toBeVisible();
});
