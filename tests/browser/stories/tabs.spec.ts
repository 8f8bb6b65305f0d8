import type { Node } from '../support/node.ts';
import { expect, test } from '../support/test.ts';

for (const kind of ['SharedWorker', 'Web Locks'] as const) {
  test(`two tabs share one engine, and one goes on when the other is closed (${kind})`, async ({ home }) => {
    const { alice, bob, node } = await home(['alice', 'bob'], {
      // A browser without SharedWorker: the tabs elect the one whose worker owns the engine.
      before: async ({ name, context }) => void (name === 'alice' && kind === 'Web Locks' && (await context.addInitScript(() => Reflect.deleteProperty(globalThis, 'SharedWorker')))),
    });
    await bob.follow(await alice.link());
    await alice.openChat(bob);
    // The browser of the second tab believes that there is no network; the socket to the node is there all the same.
    await alice.context.addInitScript(() => Object.defineProperty(navigator, 'onLine', { get: () => false }));
    const other = await alice.tab();
    await other.openChat(bob);

    await bob.say('one');
    await alice.sees(['one']);
    await other.sees(['one']);
    await other.say('two');
    await alice.say('three');
    for (const view of [alice, other, bob]) await view.sees(['one', 'two', 'three']);
    expect(await sockets(node)).toBe(2);
    // For longer than a break of the connection has to last to be worth a word.
    await other.page.waitForFunction(() => performance.now() > 4_000);
    await expect(other.page.getByText('No connection.')).toHaveCount(0);

    // The first tab owned the engine where there is no SharedWorker.
    await alice.page.close();
    await bob.say('four');
    await other.sees(['one', 'two', 'three', 'four']);
    await other.say('five');
    await bob.sees(['one', 'two', 'three', 'four', 'five']);
    await other.page.reload();
    await other.sees(['one', 'two', 'three', 'four', 'five']);
  });
}

test('signing out in one tab signs out the other', async ({ home }) => {
  const { alice } = await home(['alice']);
  const other = await alice.tab();
  await expect(other.page.getByRole('navigation', { name: 'Sections' }).first()).toBeVisible();
  await alice.at('/me/sign-out');
  await alice.page.getByLabel('Yes, remove everything from this device').check();
  await alice.page.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
  for (const view of [alice, other]) await expect(view.page.getByRole('heading', { name: 'Welcome to Lindenhof' })).toBeVisible();
});

/** Open sync sockets at the node, as its metrics say. */
async function sockets(node: Node): Promise<number> {
  const text = await (await fetch(node.metrics)).text();
  return Number(/^weft_sockets(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? Number.NaN);
}
