import { describe, expect, it } from 'vitest';
import { chat, contact } from '../../engine/fake';
import { GREETED_MAX, withGreeted } from './greeted';

const titles = (list: { title: string }[]): string[] => list.map(({ title }) => title);

describe('people whom nobody has written to yet', () => {
  it('stand among the chats from the time on that they are contacts', () => {
    const chats = [chat('b@h', 'Bob', { active_ms: 30 }), chat('c@h', 'Carol', { active_ms: 10 })];
    const people = [contact('b@h', 'Bob', { since_ms: 99 }), contact('d@h', 'Dora', { since_ms: 20 }), contact('e@h', 'Eve', { since_ms: 5 })];
    expect(titles(withGreeted(chats, people))).toEqual(['Bob', 'Dora', 'Carol', 'Eve']);
    expect(withGreeted(chats, people)[1]).toMatchObject({ chat: 'chat-d@h', user: 'd@h', last: null });
  });

  it('are the newest few, where there are many', () => {
    const people = Array.from({ length: GREETED_MAX + 3 }, (_, index) => contact(`p${index}@h`, `P${index}`, { since_ms: index }));
    expect(titles(withGreeted([], people))).toEqual(Array.from({ length: GREETED_MAX }, (_, index) => `P${GREETED_MAX + 2 - index}`));
  });
});
