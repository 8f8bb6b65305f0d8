/** Dividing a bill, in minor units. */

/** How a bill is divided: all the same, by weights, or as somebody writes down. */
export type Way = 'equal' | 'shares' | 'own';

/**
 * What each bears, by weights: as near to its due as whole units go, together exactly the total. Units that are left over go to
 * those who are due the most of one; among equals to the first. 100 among three is 34, 33, 33.
 */
export function divide(total: bigint, weights: readonly number[]): bigint[] {
  const sum = BigInt(weights.reduce((all, weight) => all + weight, 0));
  if (sum === 0n) return weights.map(() => 0n);
  const exact = weights.map((weight) => total * BigInt(weight));
  const parts = exact.map((due) => due / sum);
  const left = Number(total - parts.reduce((all, part) => all + part, 0n));
  const byRest = exact.map((due, index) => ({ index, rest: due % sum })).sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest < b.rest ? 1 : -1));
  for (const { index } of byRest.slice(0, left)) parts[index] = (parts[index] ?? 0n) + 1n;
  return parts;
}

export interface Share {
  user: string;
  part: bigint;
}

/** Why a bill cannot be divided like this; `short` and `over` with how much is missing or too much. */
export type Fault = { why: 'nobody' | 'small' } | { why: 'short' | 'over'; by: bigint };

/** What is asked of the others, or why it is not. Nobody is asked for nothing, and nobody asks themselves. */
export function asked(total: bigint, shares: readonly Share[], me: string): { parts: Share[] } | { fault: Fault } {
  const others = shares.filter((share) => share.user !== me);
  if (others.length === 0) return { fault: { why: 'nobody' } };
  if (others.some((share) => share.part <= 0n)) return { fault: { why: 'small' } };
  const sum = shares.reduce((all, share) => all + share.part, 0n);
  if (sum < total) return { fault: { why: 'short', by: total - sum } };
  if (sum > total) return { fault: { why: 'over', by: sum - total } };
  return { parts: others };
}
