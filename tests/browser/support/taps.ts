import { expect } from '@playwright/test';
import type { Person } from './person.ts';

/** No flow of money may take more. */
const MOST = 3;

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
