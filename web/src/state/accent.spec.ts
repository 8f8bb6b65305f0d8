import { describe, expect, it } from 'vitest';
import { contrast, legible } from './accent';

describe('the accent of a node', () => {
  it('keeps its hue', () => expect(legible('#0f766e', '#1c1a17')).toMatch(/^#[0-4][0-9a-f][a-d][0-9a-f][9a-c][0-9a-f]$/));

  it('stays as it is when it can be read', () => {
    expect(legible('#0f766e', '#fffdf9')).toBe('#0f766e');
  });

  it.each(['#ffff00', '#ffffff', '#000000', '#ff0000', '#0f766e', '#7f7f7f'])('becomes legible in both schemes: %s', (colour) => {
    expect(contrast(legible(colour, '#fffdf9'), '#fffdf9')).toBeGreaterThanOrEqual(4.5);
    expect(contrast(legible(colour, '#1c1a17'), '#1c1a17')).toBeGreaterThanOrEqual(4.5);
  });
});
