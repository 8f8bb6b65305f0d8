import { describe, expect, it } from 'vitest';
import { nameProblem, strength } from '../../ui/password';
import { pickPositions } from './phrase';

describe('the strength of a password', () => {
  it.each([
    ['short', 0],
    ['aaaaaaaaaaaa', 1],
    ['1234567890', 1],
    ['password123!', 1],
    ['river-likes', 2],
    ['correct horse battery staple', 3],
    ['我家门前有两棵枣树很高很高的', 3],
  ] as const)('%s: %d', (password, level) => expect(strength(password)).toBe(level));

  it('falls when it holds the name', () => {
    expect(strength('margarethe!9', 'margarethe')).toBeLessThan(strength('margarethe!9'));
  });
});

describe('names', () => {
  it.each([
    ['al', null],
    ['Alice', null],
    ['a.b-c_9', null],
    ['a', 'length'],
    ['x'.repeat(33), 'length'],
    ['.ab', 'characters'],
    ['ab-', 'characters'],
    ['ali ce', 'characters'],
    ['王小明', 'characters'],
  ] as const)('%s', (name, problem) => expect(nameProblem(name)).toBe(problem));
});

describe('the words that are asked for', () => {
  it('are three different ones from all over the phrase', () => {
    for (let round = 0; round < 50; round += 1) {
      const [a = -1, b = -1, c = -1, ...rest] = pickPositions(24);
      expect(rest).toEqual([]);
      expect(a >= 0 && a < 8 && b >= 8 && b < 16 && c >= 16 && c < 24).toBe(true);
    }
  });
});
