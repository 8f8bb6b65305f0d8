import { test as base, expect, type BrowserContextOptions } from '@playwright/test';
import { Node } from './node.ts';
import { Person } from './person.ts';
import { Tap } from './tap.ts';

interface Fixtures {
  /** Names as they are, for pictures; otherwise they are made unique, because stories share a node. */
  plainNames: boolean;
  /** A person with a fresh browser profile; whatever their browser complains about fails the test in the end. */
  person: (name: string, options?: BrowserContextOptions, at?: { url: string }) => Promise<Person>;
  /** Two people who are signed up and connected, each with the other's chat open. */
  pair: () => Promise<[Person, Person]>;
}

interface WorkerFixtures {
  node: Node;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  // One node for all stories of a worker: names differ, and more people make it more real.
  node: [
    async ({}, use) => {
      const node = await Node.start();
      await use(node);
      await node.stop();
    },
    { scope: 'worker' },
  ],

  plainNames: [false, { option: true }],

  person: async ({ browser, node, plainNames }, use, info) => {
    const people: Person[] = [];
    await use(async (name, options = {}, at = node) => {
      const tap = await Tap.open(at.url);
      const context = await browser.newContext({ ...options, proxy: { server: tap.url, bypass: '<-loopback>' } });
      await context.grantPermissions(['clipboard-read', 'clipboard-write', 'camera']);
      const unique = plainNames ? name : `${name}${info.workerIndex}${info.testId.slice(-6)}`.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
      const person = new Person(unique, context, await context.newPage(), tap, at.url);
      people.push(person);
      return person;
    });
    const complaints = people.flatMap((person) => person.complaints.map((line) => `${person.name}: ${line}`));
    const foreign = people.flatMap((person) => person.tap.foreign);
    for (const person of people) {
      await person.context.close();
      await person.tap.close();
    }
    expect(complaints, 'the browser had nothing to complain about').toEqual([]);
    expect(foreign, 'nothing was asked of any other host').toEqual([]);
  },

  pair: async ({ person, node }, use) => {
    await use(async () => {
      const [alice, bob] = [await person('alice'), await person('bob')];
      await alice.signUp(await node.invite());
      await bob.signUp(await node.invite());
      await bob.follow(await alice.link());
      await alice.openChat(bob);
      return [alice, bob];
    });
  },
});

export { expect };
