import { describe, expect, it } from 'vitest';
import { message } from '../../engine/fake';
import { toRows } from './rows';

const at = (hour: number, minute = 0, day = 10): number => new Date(2026, 4, day, hour, minute).getTime();
const flags = (rows: ReturnType<typeof toRows>): string[] => rows.map((row) => `${row.day ? 'D' : ''}${row.unread ? 'U' : ''}${row.first ? 'f' : ''}${row.last ? 'l' : ''}`);

describe('rows of a chat', () => {
  it('group what one person wrote within minutes', () => {
    const messages = [message('a', 1, { time_ms: at(9, 0) }), message('b', 2, { time_ms: at(9, 1) }), message('c', 3, { time_ms: at(9, 1), mine: true, sender: 'me' }), message('d', 4, { time_ms: at(9, 9), mine: true, sender: 'me' })];
    expect(flags(toRows(messages, null))).toEqual(['Df', 'l', 'fl', 'fl']);
  });

  it('begin each day anew', () => {
    const messages = [message('a', 1, { time_ms: at(23, 59) }), message('b', 2, { time_ms: at(0, 0, 11) })];
    expect(flags(toRows(messages, null))).toEqual(['Dfl', 'Dfl']);
  });

  it('mark the first unread message of somebody else, once', () => {
    const messages = [message('a', 1, { time_ms: at(9) }), message('b', 2, { time_ms: at(9), mine: true, sender: 'me' }), message('c', 3, { time_ms: at(9) }), message('d', 4, { time_ms: at(9) })];
    expect(flags(toRows(messages, 1))).toEqual(['Dfl', 'fl', 'Uf', 'l']);
  });
});
