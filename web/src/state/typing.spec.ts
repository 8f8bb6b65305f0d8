import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { message } from '../engine/fake';
import { typing } from './typing.svelte';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());
const types = (on: boolean): void => typing.heard({ event: 'typing', value: { chat: 'c', user: 'bob@home.example', on } });

describe('typing', () => {
  it('ends by itself', () => {
    types(true);
    vi.advanceTimersByTime(5_000);
    types(true);
    vi.advanceTimersByTime(5_000);
    expect(typing.in('c')).toEqual(['bob@home.example']);
    vi.advanceTimersByTime(1_001);
    expect(typing.in('c')).toEqual([]);
  });

  it('ends when it is said, and when the message is there', () => {
    types(true);
    types(false);
    expect(typing.in('c')).toEqual([]);
    types(true);
    typing.heard({ event: 'messages', value: { chat: 'c', messages: [message('m', 1)] } });
    expect(typing.in('c')).toEqual([]);
  });
});
