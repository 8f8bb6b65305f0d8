import { test as base, expect, type BrowserContextOptions } from '@playwright/test';
import { browserOf, Cast } from './cast.ts';
import { Node } from './node.ts';
import type { Person } from './person.ts';

/** How a story's own node and its people are to be. */
interface Wishes<N extends string> {
  /** `WEFT_SECTION__KEY` of the node. */
  settings?: Record<string, string>;
  /** Browsers that are not as all others. */
  options?: Partial<Record<N, BrowserContextOptions>>;
  /** What is done with each browser before the app is opened. */
  before?: (person: Person) => Promise<void>;
}

type Home<N extends string> = Record<N, Person> & {
  node: Node;
  /** One more browser, in which nobody has signed in. */
  browserOf: (name: string, options?: BrowserContextOptions) => Promise<Person>;
};

/** Who have signed up: the first owns the node. A story takes the cast that has all whom it needs, whoever else is there. */
const CASTS = [
  ['alice', 'bob', 'carol'],
  ['olga', 'alice', 'bob', 'carol'],
];

interface Fixtures {
  /** Names as they are, for pictures; otherwise they are made unique, because stories share a node. */
  plainNames: boolean;
  /** A person with a fresh browser profile; whatever their browser complains about fails the test in the end. */
  person: (name: string, options?: BrowserContextOptions, at?: { url: string }) => Promise<Person>;
  /** A node of this story's own, and people who have signed up there, each with the app open; the first owns it. */
  home: <N extends string>(names: readonly N[], wishes?: Wishes<N>) => Promise<Home<N>>;
  /** Two people who are signed up and connected, each with the other's chat open. */
  pair: () => Promise<[Person, Person]>;
}

interface WorkerFixtures {
  node: Node;
  /** Those who have signed up once for all stories of a worker, by some of their names. */
  cast: (names: readonly string[]) => Promise<Cast>;
}

export const test = base.extend<Fixtures & { people: Person[] }, WorkerFixtures>({
  // One node for all stories of a worker: names differ, and more people make it more real.
  node: [
    async ({}, use) => {
      const node = await Node.start();
      await use(node);
      await node.stop();
    },
    { scope: 'worker' },
  ],

  cast: [
    async ({ browser }, use) => {
      const casts = new Map<string[], Promise<Cast>>();
      await use((names) => {
        const wanted = CASTS.find((all) => all[0] === names[0] && names.every((name) => all.includes(name)));
        if (!wanted) throw new Error(`no cast has ${names.join()}`);
        const known = casts.get(wanted) ?? Cast.make(browser, wanted);
        casts.set(wanted, known);
        return known;
      });
      for (const cast of casts.values()) await (await cast).remove();
    },
    { scope: 'worker' },
  ],

  plainNames: [false, { option: true }],

  people: async ({}, use) => {
    const people: Person[] = [];
    await use(people);
    const complaints = people.flatMap((person) => person.complaints.map((line) => `${person.name}: ${line}`));
    const foreign = people.flatMap((person) => person.tap.foreign);
    for (const person of people) {
      await person.context.close();
      await person.tap.close();
    }
    expect(complaints, 'the browser had nothing to complain about').toEqual([]);
    expect(foreign, 'nothing was asked of any other host').toEqual([]);
  },

  person: async ({ browser, node, people, plainNames }, use, info) => {
    await use(async (name, options = {}, at = node) => {
      const unique = plainNames ? name : `${name}${info.workerIndex}${info.testId.slice(-6)}`.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
      const person = await browserOf(browser, unique, at.url, options);
      people.push(person);
      return person;
    });
  },

  home: async ({ browser, cast, people }, use) => {
    const nodes: Node[] = [];
    await use(async <N extends string>(names: readonly N[], { settings, options, before }: Wishes<N> = {}) => {
      const known = await cast(names);
      const node = await known.start(settings);
      nodes.push(node);
      const browserFor = async (name: string, wish?: BrowserContextOptions): Promise<Person> => {
        const person = await browserOf(browser, name, node.url, wish);
        people.push(person);
        return person;
      };
      const enter = async (name: N): Promise<[N, Person]> => {
        const person = await browserFor(name, options?.[name]);
        await before?.(person);
        await known.enter(person);
        return [name, person];
      };
      const seats = await Promise.all(names.map(enter));
      return { ...(Object.fromEntries(seats) as Record<N, Person>), node, browserOf: browserFor } as Home<N>;
    });
    for (const node of nodes) await node.stop();
  },

  pair: async ({ home }, use) => {
    await use(async () => {
      const { alice, bob } = await home(['alice', 'bob']);
      await bob.follow(await alice.link());
      await alice.openChat(bob);
      return [alice, bob];
    });
  },
});

export { expect };
