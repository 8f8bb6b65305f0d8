/** What is offered, in percent of the amount; 0: none. */
export const TIPS = [0, 5, 10, 15] as const;

/** So many percent of an amount, to the nearest minor unit. */
export function tipOf(amount: bigint, percent: number): bigint {
  return (amount * BigInt(percent) + 50n) / 100n;
}
