import { cleanup, fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contact, FakeEngine, ME } from '../../engine/fake';
import { contacts } from '../../state/contacts.svelte';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import MemberField from './MemberField.svelte';

const [BOB, ROSA, ZOE] = ['bob@home.example', 'rosa@home.example', 'zoe@away.example'];
beforeEach(async () => {
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
  useEngine(new FakeEngine().on('contacts', () => [contact(BOB, 'Bob Okafor', { verified: true }), contact(ROSA, 'José Rosa'), contact(ZOE, 'Zoe')]));
  await contacts.load();
});
afterEach(() => {
  cleanup();
  contacts.clear();
  session.me = null;
});

/** The field, as it is when one has begun to write. */
async function write(text: string, without?: ReadonlySet<string>): Promise<HTMLInputElement> {
  render(MemberField, { text: '', user: null, without });
  const field = screen.getByRole<HTMLInputElement>('combobox', { name: 'Member' });
  await fireEvent.focus(field);
  await fireEvent.input(field, { target: { value: text } });
  return field;
}
const offered = (): string[] => screen.queryAllByRole('option').map((one) => one.querySelector('b')?.textContent ?? '');

describe('who is meant', () => {
  it('is offered by name and address, as far as they are of this node', async () => {
    await write('');
    expect(offered()).toEqual(['Bob Okafor', 'José Rosa']);
    cleanup();
    await write('jose');
    expect(offered()).toEqual(['José Rosa']);
    cleanup();
    await write('', new Set([BOB]));
    expect(offered()).toEqual(['José Rosa']);
  });

  it('is chosen by a press, and shown then as whoever is paid is', async () => {
    const field = await write('oka');
    await fireEvent.click(screen.getByRole('option'));
    expect([field.value, field.getAttribute('aria-expanded'), offered()]).toEqual(['bob', 'false', []]);
    expect([screen.getByText('Bob Okafor'), screen.getByLabelText('Verified'), screen.getByText(BOB)].length).toBe(3);
  });

  it('is chosen by the keys', async () => {
    const field = await write('o');
    await fireEvent.keyDown(field, { key: 'ArrowDown' });
    await fireEvent.keyDown(field, { key: 'ArrowDown' });
    expect(document.getElementById(field.getAttribute('aria-activedescendant') ?? '')?.textContent).toContain('José Rosa');
    await fireEvent.keyDown(field, { key: 'Enter' });
    expect(field.value).toBe('rosa');
    cleanup();
    // Enter takes the only one that a name can mean, and leaves alone what is an address already.
    const other = await write('bob okafor');
    await fireEvent.keyDown(other, { key: 'Enter' });
    expect(other.value).toBe('bob');
    cleanup();
    const third = await write('ro');
    await fireEvent.keyDown(third, { key: 'Enter' });
    expect(third.value).toBe('ro');
  });

  it('may be somebody who is no contact; Escape closes what is offered, and not the sheet', async () => {
    const field = await write('o');
    let up = 0;
    document.addEventListener('keydown', () => (up += 1), { once: true });
    await fireEvent.keyDown(field, { key: 'Escape' });
    expect([offered(), up]).toEqual([[], 0]);
    await fireEvent.input(field, { target: { value: 'carol' } });
    await fireEvent.blur(field);
    expect(screen.queryByRole('alert')).toBeNull();
    await fireEvent.input(field, { target: { value: 'carol@away.example' } });
    expect(screen.getByRole('alert').textContent).toContain('Only somebody of home.example');
  });
});
