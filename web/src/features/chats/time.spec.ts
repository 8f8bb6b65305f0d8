import { describe, expect, it } from 'vitest';
import { dayName, daysBetween, listTime } from './time';

const now = new Date(2026, 4, 15, 0, 30).getTime();
const at = (day: number, hour: number, month = 4, year = 2026): number => new Date(year, month, day, hour).getTime();

describe('times', () => {
  it('count calendar days, not hours', () => {
    expect(daysBetween(at(14, 23), now)).toBe(1);
    expect(daysBetween(at(15, 0), now)).toBe(0);
    // Across the change of the clocks.
    expect(daysBetween(at(28, 12, 2), at(30, 12, 2))).toBe(2);
  });

  it('are said as people say them', () => {
    expect(listTime(at(14, 23), now, 'en')).toBe('Yesterday');
    expect(listTime(at(14, 23), now, 'zh')).toBe('昨天');
    expect(listTime(at(11, 9), now, 'en')).toBe('Mon');
    expect(listTime(at(3, 9, 1), now, 'en')).toBe('Feb 3');
    expect(dayName(at(15, 0), now, 'en')).toBe('Today');
    expect(dayName(at(11, 9), now, 'zh')).toBe('星期一');
    expect(dayName(at(3, 9, 1, 2024), now, 'en')).toContain('2024');
  });
});
