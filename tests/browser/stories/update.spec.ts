import { expect, test } from '../support/test.ts';

test('a new version waits until one agrees, and then takes nothing away', async ({ pair }) => {
  const [alice, bob] = await pair();
  await bob.say('read me later');
  await alice.sees(['read me later']);
  const { page } = alice;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const caches_ = (): Promise<string[]> => page.evaluate(() => caches.keys());
  const [before] = await caches_();
  expect(before).toMatch(/^weft-[0-9a-f]{16}$/);
  const after = `weft-${'f'.repeat(16)}`;

  // From now on the node has another version.
  alice.tap.onAnswer = (path, body) => (path === '/sw.js' ? Buffer.from(body.toString('utf8').replaceAll(before ?? '', after)) : body);
  await page.reload();
  await alice.sees(['read me later']);
  const ready = page.getByRole('status').filter({ hasText: 'A new version is ready.' });
  await expect(ready).toBeVisible();
  await alice.composer.fill('half a thought');
  expect(await caches_()).toEqual(expect.arrayContaining([before, after]));

  const loaded = page.waitForEvent('load');
  await ready.getByRole('button', { name: 'Reload' }).click();
  await loaded;
  await expect(alice.composer).toHaveValue('half a thought');
  await expect(ready).toHaveCount(0);
  await expect.poll(caches_).toEqual([after]);
  await alice.say('and the other half');
  await bob.sees(['read me later', 'and the other half']);
});
