import { fireEvent, render, screen } from '@testing-library/svelte';
import { expect, it, vi } from 'vitest';
import { contact, FakeEngine } from '../../engine/fake';
import { router } from '../../router.svelte';
import { contacts } from '../../state/contacts.svelte';
import { useEngine } from '../../state/engine';
import ContactPage from './ContactPage.svelte';

it('whoever has gone elsewhere while a contact was being removed is left there', async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  let done: () => void = () => undefined;
  const fake = new FakeEngine().on('contacts', () => [contact('bob@h', 'Bob')]).on('remove_contact', () => new Promise((resolve) => (done = () => resolve(undefined))));
  useEngine(fake);
  await contacts.load();
  const remove = async (): Promise<void> => {
    await fireEvent.click(screen.getAllByRole('button', { name: 'Remove contact', hidden: true }).at(-1) as HTMLElement);
  };
  const answered = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  router.go('/contacts/bob%40h');
  render(ContactPage, { user: 'bob@h', back: '#/contacts' });
  await remove();
  await remove();
  await vi.waitFor(() => expect(fake.calls.some(({ call }) => call === 'remove_contact')).toBe(true));
  // The event is here before the answer, and closes the question.
  contacts.heard({ event: 'contact_removed', value: { user: 'bob@h' } });
  router.go('/chats/somewhere');
  done();
  await answered();
  expect(router.path).toBe('/chats/somewhere');
});
