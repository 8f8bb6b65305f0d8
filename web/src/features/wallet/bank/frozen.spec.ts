import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { i18n } from '../../../state/i18n.svelte';
import { frozenText } from './frozen';

afterEach(() => i18n.set('system'));

const rust = readFileSync('../src/ledger/src/link/error.rs', 'utf8');
/** What the node says of each reason, in the order of the enum. */
const said = [.../#\[error\("(.*)"\)\]/g[Symbol.matchAll](rust.slice(0, rust.indexOf('pub enum LinkError')))].map(([, text = '']) => text.replace('{payment}', 'ab'.repeat(16)).replace(/\{\w+\}/g, '17'));

describe('why a link stands still', () => {
  it('is said in the language of whoever reads it, as long as the node says it as it does', () => {
    expect(said.length).toBeGreaterThanOrEqual(12);
    const known = (): string[] => said.slice(0, 4).map(frozenText);
    expect(new Set(known()).size).toBe(4);
    for (const [index, text] of known().entries()) expect(text, said[index]).not.toContain(said[index]);
    i18n.start();
    i18n.set('zh');
    for (const text of known()) expect(text).not.toMatch(/[a-z]/i);
  });

  it('names what the other server has done, if it has done something', () => {
    for (const text of said.slice(4)) expect(frozenText(text)).toBe(`Payments are stopped: the other server does not keep to what was agreed (${text}).`);
  });
});
