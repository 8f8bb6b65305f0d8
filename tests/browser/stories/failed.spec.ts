import type { Locator } from '@playwright/test';
import { expect, test } from '../support/test.ts';
import type { Person } from '../support/person.ts';

/** One bit of what is said breaks on its way: the node sees that the signature does not fit, and refuses for good. */
function damage(of: Person): void {
  of.tap.onRequest = (path, body) => {
    if (path.endsWith('/messages') && body.length > 0) body[body.length - 1]! ^= 1;
    return body;
  };
}

function button(of: Person, text: string, name: string): Locator {
  return of.log.getByRole('article').filter({ hasText: text }).getByRole('button', { name });
}

test('a message that was refused says so, survives a reload, and goes out when it is tried again', async ({ pair }) => {
  const [alice, bob] = await pair();
  await alice.say('well said');
  await bob.sees(['well said']);
  damage(alice);
  await alice.say('broken on the way');
  await expect(alice.delivery('broken on the way')).toHaveAttribute('data-delivery', 'failed');
  await expect(alice.log.getByRole('article').filter({ hasText: 'broken on the way' })).toContainText('Not sent');
  await alice.page.reload();
  await expect(alice.delivery('broken on the way')).toHaveAttribute('data-delivery', 'failed');

  // Tried again while nothing is better: it says so again.
  await button(alice, 'broken on the way', 'Try again').click();
  await expect(alice.delivery('broken on the way')).toHaveAttribute('data-delivery', 'failed');
  await bob.sees(['well said']);

  alice.tap.onRequest = null;
  await expect(async () => {
    await button(alice, 'broken on the way', 'Try again').click({ timeout: 1_000 });
    await expect(alice.delivery('broken on the way')).toHaveAttribute('data-delivery', /delivered|read/, { timeout: 2_000 });
  }).toPass();
  await expect(button(alice, 'broken on the way', 'Try again')).toBeHidden();
  await bob.sees(['well said', 'broken on the way']);
});

test('a message that was refused can be discarded, and nobody ever sees it', async ({ pair }) => {
  const [alice, bob] = await pair();
  await alice.say('before');
  await bob.sees(['before']);
  damage(alice);
  await alice.say('better unsaid');
  await expect(alice.delivery('better unsaid')).toHaveAttribute('data-delivery', 'failed');
  await button(alice, 'better unsaid', 'Discard').click();
  await alice.sees(['before']);
  alice.tap.onRequest = null;
  await alice.say('after');
  await bob.sees(['before', 'after']);
  await alice.page.reload();
  await alice.sees(['before', 'after']);
});
