import { expect, it } from 'vitest';
import { FakeEngine, ME } from '../../engine/fake';
import { useEngine } from '../../state/engine';
import { myLinks } from './my-link.svelte';

it('a link is kept until a new one is asked for, which the engine then makes', async () => {
  let made = 0;
  const fake = new FakeEngine().on('create_link', ({ fresh }) => {
    if (fresh || made === 0) made += 1;
    return { url: `link ${made}`, expires_ms: Date.now() + 30 * 24 * 3_600_000, people_max: 100, newcomers_max: 0 };
  });
  useEngine(fake);
  expect((await myLinks.get(ME, true)).url).toBe('link 1');
  expect((await myLinks.get(ME, true)).url).toBe('link 1');
  expect((await myLinks.renew(ME, true)).url).toBe('link 2');
  expect((await myLinks.get(ME, true)).url).toBe('link 2');
});
