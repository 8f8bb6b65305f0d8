import { describe, expect, it } from 'vitest';
import { asked, divide } from './split';

const sum = (parts: readonly bigint[]): bigint => parts.reduce((all, part) => all + part, 0n);

describe('dividing a bill', () => {
  it('gives the odd units to the first, one each', () => {
    expect(divide(100n, [1, 1, 1])).toEqual([34n, 33n, 33n]);
    expect(divide(101n, [1, 1, 1])).toEqual([34n, 34n, 33n]);
    expect(divide(3000n, [1, 1, 1])).toEqual([1000n, 1000n, 1000n]);
    expect(divide(2n, [1, 1, 1])).toEqual([1n, 1n, 0n]);
  });

  it('gives each their weight, and what is left to whom it is nearest to', () => {
    expect(divide(100n, [1, 2])).toEqual([33n, 67n]);
    expect(divide(100n, [0, 1, 1])).toEqual([0n, 50n, 50n]);
    expect(divide(7n, [3, 3, 1])).toEqual([3n, 3n, 1n]);
    expect(divide(5n, [0, 0])).toEqual([0n, 0n]);
  });

  it('loses nothing, and is nowhere a unit away from what is due, whatever the numbers', () => {
    let seed = 7;
    const next = (max: number): number => (seed = (seed * 48_271) % 2_147_483_647) % max;
    for (let round = 0; round < 500; round += 1) {
      const weights = Array.from({ length: 1 + next(12) }, () => next(9));
      weights[0] = 1 + next(9);
      const total = BigInt(next(1_000_000)) * (round % 5 === 0 ? 18_446_744_073n : 1n);
      const parts = divide(total, weights);
      const all = BigInt(weights.reduce((a, b) => a + b, 0));
      expect(sum(parts)).toBe(total);
      parts.forEach((part, index) => {
        const away = part * all - total * BigInt(weights[index] ?? 0);
        expect(away < all && -away < all, `${total} by ${weights.join()}`).toBe(true);
        if (weights[index] === 0) expect(part).toBe(0n);
      });
    }
  });
});

describe('who is asked', () => {
  const shares = (alice: bigint, bob: bigint, carol: bigint) => [{ user: 'alice', part: alice }, { user: 'bob', part: bob }, { user: 'carol', part: carol }];

  it('is everyone but oneself', () => expect(asked(100n, shares(34n, 33n, 33n), 'alice')).toEqual({ parts: [{ user: 'bob', part: 33n }, { user: 'carol', part: 33n }] }));

  it('is nobody while the parts are not the bill', () => {
    expect(asked(100n, shares(30n, 30n, 30n), 'alice')).toEqual({ fault: { why: 'short', by: 10n } });
    expect(asked(100n, shares(40n, 40n, 40n), 'alice')).toEqual({ fault: { why: 'over', by: 20n } });
    expect(asked(2n, shares(1n, 1n, 0n), 'alice')).toEqual({ fault: { why: 'small' } });
    expect(asked(100n, [{ user: 'alice', part: 100n }], 'alice')).toEqual({ fault: { why: 'nobody' } });
  });

  it('may leave out oneself, who then bears nothing', () => expect(asked(60n, shares(0n, 30n, 30n), 'alice')).toEqual({ parts: [{ user: 'bob', part: 30n }, { user: 'carol', part: 30n }] }));
});
