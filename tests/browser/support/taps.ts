import { expect, type Locator } from '@playwright/test';
import { around } from './groups.ts';
import { issueEuros, issueTo, PIN } from './money.ts';
import { Node } from './node.ts';
import { PASSWORD, type Person } from './person.ts';
import { test as base } from './test.ts';

/** No flow of money may take more. */
const MOST = 3;

/** A node of alice, who issues euros, and bob, who has some; both have a PIN, and their wallets are open. */
export const test = base.extend<{ couple: { alice: Person; bob: Person } }>({
  couple: async ({ person }, use) => {
    const node = await Node.start();
    try {
      const [alice, bob] = [await person('alice', {}, node), await person('bob', {}, node)];
      for (const someone of [alice, bob]) await someone.signUp(await node.invite());
      await around(alice, [bob]);
      await issueEuros(alice);
      for (const someone of [alice, bob]) {
        await issueTo(alice, someone, '100');
        await someone.at('/me/wallet/pin');
        await choosePin(someone);
        await home(someone);
      }
      await use({ alice, bob });
    } finally {
      await node.stop();
    }
  },
});

async function choosePin({ page }: Person): Promise<void> {
  await page.getByLabel('New payment PIN').fill(PIN);
  await page.getByLabel('The same PIN again').fill(PIN);
  await page.getByLabel('Confirm with your account password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set payment PIN' }).click();
  await expect(page.getByRole('link', { name: 'Change payment PIN' })).toBeVisible();
}

/** The wallet, where a flow of money begins. */
async function home(who: Person): Promise<void> {
  await who.at('/me/wallet');
  await expect(main(who).getByRole('link', { name: 'Statement' })).toBeVisible();
}

export const main = ({ page }: Person): Locator => page.getByRole('main');
export const dialog = ({ page }: Person): Locator => page.getByRole('dialog');
export const press = (within: Locator, name: string | RegExp): Promise<void> => within.getByRole('button', { name }).click();
export const go = (who: Person, name: RegExp): Promise<void> => main(who).getByRole('link', { name }).click();
export const done = (who: Person): Promise<void> => expect(dialog(who)).toHaveCount(0);

/** From the wallet of somebody, in so many taps. */
export async function flow(who: Person, name: string, taps: number, work: () => Promise<void>): Promise<void> {
  await home(who);
  await inTaps(who, name, taps, work);
}

/**
 * A flow from where it begins to its end, and the taps that it takes: every press of a pointer on the page counts, wherever it came
 * from. What is typed into fields, the PIN among it, is none.
 */
export async function inTaps<T>(who: Person, flow: string, taps: number, work: () => Promise<T>): Promise<T> {
  expect(taps, `${flow}: at most three taps`).toBeLessThanOrEqual(MOST);
  const { page } = who;
  await page.evaluate(() => {
    const counter = globalThis as { taps?: number };
    if (counter.taps === undefined) addEventListener('pointerdown', () => (counter.taps = (counter.taps ?? 0) + 1), { capture: true });
    counter.taps = 0;
  });
  const outcome = await work();
  expect(await page.evaluate(() => (globalThis as { taps?: number }).taps), `${flow}: taps`).toBe(taps);
  return outcome;
}
