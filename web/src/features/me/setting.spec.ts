import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, expect, it } from 'vitest';
import Setting from './Setting.svelte';

afterEach(cleanup);

it('leads back from an address at which there is nothing', () => {
  render(Setting, { name: 'nosuch' });
  expect(screen.getByText('There is no such page')).toBeTruthy();
  expect(screen.getAllByRole('link', { name: 'Back' }).map((link) => link.getAttribute('href'))).toEqual(['#/me', '#/me']);
});
