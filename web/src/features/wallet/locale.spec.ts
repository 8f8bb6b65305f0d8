import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeEngine, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { i18n } from '../../state/i18n.svelte';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import Chart from './Chart.svelte';
import TransferSheet from './chat/TransferSheet.svelte';

beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  vi.spyOn(navigator, 'language', 'get').mockReturnValue('de-DE');
  vi.spyOn(navigator, 'languages', 'get').mockReturnValue(['de-DE', 'de', 'en-GB']);
  i18n.start();
  wallet.clear();
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
  i18n.start();
  session.me = null;
});
const there = (text: string): Promise<void> => waitFor(() => void expect(document.body.textContent.replace(/\s/gu, ' ')).toContain(text));

it('reads and shows amounts as the first language of the person does, in the texts of another', async () => {
  const bank = new FakeBank().define(EUR, { title: 'Euro' });
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 500_000n });
  const fake = answerWallet(new FakeEngine(), bank);
  useEngine(fake);
  await wallet.load();
  render(TransferSheet, { user: 'bob@home.example', name: 'Bob', chat: null, onclose: vi.fn() });
  const field = screen.getByLabelText<HTMLInputElement>('Amount');
  expect(field.placeholder).toBe('0,00');
  await there('5.000,00 EUR');
  await fireEvent.input(field, { target: { value: '1.234,56' } });
  await fireEvent.click(screen.getByRole('button', { name: 'Continue', hidden: true }));
  await there('1.234,56 EUR');
  await fireEvent.input(await screen.findByLabelText('Payment PIN'), { target: { value: PIN } });
  await waitFor(() => expect(fake.calls).toContainEqual(expect.objectContaining({ call: 'pay', amount: '123456' })));
});

it('writes months in the language of the texts, and the numbers beside them as the person does', () => {
  const { container } = render(Chart, { months: [{ start: new Date(2026, 2, 1).getTime(), credit: 123_456n, debit: 0n }], asset: EUR });
  const [month, credit] = [...container.querySelectorAll('tbody tr > *')].map((cell) => cell.textContent.replace(/\s/gu, ' '));
  expect([month, credit]).toEqual(['March 2026', '1.234,56 EUR']);
  expect(container.querySelector('.most')?.textContent).toBe('1,23k EUR');
});
