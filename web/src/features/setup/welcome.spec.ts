import { cleanup, render, screen } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import { session } from '../../state/session.svelte';
import type { LinkPreview } from '../../wire/LinkPreview';
import Welcome from './Welcome.svelte';

const invite: LinkPreview = { user: null, display_name: null, invite_node: 'home.example', invite: 'abc', instant: false, state: null, group: null };

/** What the welcome of a node offers, the first choice first, and which of it stands out. */
function offers(signup: string, claimed: boolean, preview: LinkPreview | null): { buttons: string[]; first: string | undefined } {
  cleanup();
  session.node = { name: 'home.example', title: 'Lindenhof', accent: '#0f766e', signup, claimed, version: '0.1.0' };
  render(Welcome, { preview, linkError: '' });
  const buttons = screen.getAllByRole('button').filter((button) => button.classList.contains('button'));
  const words = (button: HTMLElement | undefined): string => button?.textContent?.trim() ?? '';
  return { buttons: buttons.map(words), first: words(buttons.find((button) => button.classList.contains('accent'))) };
}

afterEach(() => (session.node = null));

describe('the welcome', () => {
  it('offers to sign in first, where nobody comes in without an invite', () => {
    expect(offers('invite', true, null)).toEqual({ buttons: ['Sign in', 'Create account'], first: 'Sign in' });
  });

  it.each([
    ['open', true, null],
    ['invite', true, invite],
    ['invite', false, invite],
  ] as const)('offers an account first where one can be made (%s, claimed: %s)', (signup, claimed, preview) => {
    expect(offers(signup, claimed, preview)).toEqual({ buttons: ['Create account', 'Sign in'], first: 'Create account' });
  });

  it('tells whoever opens the first link that they will be the owner, and nobody else', () => {
    const told = (): boolean => screen.queryByText('You will be the owner of this server.') !== null;
    offers('invite', true, invite);
    expect(told()).toBe(false);
    offers('invite', false, null);
    expect(told()).toBe(false);
    offers('invite', false, invite);
    expect(told()).toBe(true);
  });
});
