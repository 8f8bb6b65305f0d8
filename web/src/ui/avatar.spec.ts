import { describe, expect, it } from 'vitest';
import { contrast } from '../state/accent';
import { avatarColour, initial, initials } from './avatar';

describe('pictures without a photo', () => {
  it.each([
    ['Alice', 'A'],
    ['Bob Okafor', 'BO'],
    ['anna maria de souza', 'AS'],
    ['王小明', '小明'],
    ['李梅', '梅'],
    ['  ', '?'],
    ['🦊 fox', '🦊F'],
  ])('%s: %s', (name, letters) => expect(initials(name)).toBe(letters));

  it.each([
    ['Bob Okafor', 'B'],
    ['王小明', '明'],
    ['🦊 fox', '🦊'],
    ['', '?'],
  ])('of a group: %s: %s', (name, letter) => expect(initial(name)).toBe(letter));

  it('have one colour for one person, on which white can be read', () => {
    expect(avatarColour('a@b')).toBe(avatarColour('a@b'));
    for (let user = 0; user < 40; user += 1) expect(contrast(avatarColour(`user${user}@home.example`), '#ffffff')).toBeGreaterThanOrEqual(4.5);
  });
});
