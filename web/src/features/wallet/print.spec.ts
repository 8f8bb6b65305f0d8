import { afterEach, describe, expect, it, vi } from 'vitest';
import { printAs } from './print';

afterEach(() => vi.unstubAllGlobals());

describe('printing', () => {
  it('names the file while the dialog is open, and not after it', () => {
    const titles: string[] = [];
    vi.stubGlobal('print', () => titles.push(document.title));
    document.title = '(2) Lindenhof';
    printAs('weft-EUR');
    dispatchEvent(new Event('afterprint'));
    expect(titles).toEqual(['weft-EUR']);
    expect(document.title).toBe('(2) Lindenhof');
  });

  it('leaves what became the title meanwhile', () => {
    vi.stubGlobal('print', vi.fn());
    document.title = 'Lindenhof';
    printAs('weft-EUR');
    document.title = '(1) Lindenhof';
    dispatchEvent(new Event('afterprint'));
    expect(document.title).toBe('(1) Lindenhof');
  });
});
