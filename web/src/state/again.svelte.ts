import { onMount, untrack } from 'svelte';
import { purse } from './purse.svelte';

/** What other people and other servers do is seen while one looks, also where nothing tells of it. */
const AGAIN_MS = 5_000;

/** For a page that is being made: looks each time that something was heard of money, and every few seconds while it is seen. */
export function again(look: () => unknown, ms = AGAIN_MS): void {
  $effect(() => {
    void purse.round;
    untrack(look);
  });
  whileSeen(look, ms);
}

/** Looks every so often while the window is seen; not at once. */
export function whileSeen(look: () => unknown, ms: number): void {
  onMount(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && look(), ms);
    return () => clearInterval(timer);
  });
}
