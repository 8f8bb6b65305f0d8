import { describe, expect, it } from 'vitest';
import { shortAddress, shortNode } from './address';

const key = '12D3KooWMe9hhAL9KC7X8n9s8u1RxsAATC1rCciqtezGhf4TqSjD';

describe('addresses in a line', () => {
  it('are shortened in the middle where the node is called by its key', () => {
    expect(shortNode(key)).toBe('12D3…zGhf4TqSjD');
    expect(shortAddress(`bob@${key}`)).toBe('bob@12D3…zGhf4TqSjD');
  });

  it('are whole where it has a domain, however long', () => {
    const long = 'a-very-long-name-of-a-node.example.org';
    expect(shortNode(long)).toBe(long);
    expect(shortAddress(`bob@${long}`)).toBe(`bob@${long}`);
    expect(shortAddress('bob')).toBe('bob');
  });
});
