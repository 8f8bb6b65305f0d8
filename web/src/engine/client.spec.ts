import { afterEach, expect, it, vi } from 'vitest';
import type { HostState } from './calls';
import { EngineClient } from './client';

vi.mock('./worker?worker&url', () => ({ default: '/worker.js' }));

afterEach(() => vi.unstubAllGlobals());

it('a page of plain http says that it needs https: there the browser has no randomUUID and no locks', () => {
  vi.stubGlobal('isSecureContext', false);
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
  const heard: HostState[] = [];
  const client = new EngineClient();
  client.watch((state) => heard.push(state));
  client.start();
  expect(heard.at(-1)).toEqual({ state: 'failed', code: 'insecure', message: location.origin });
});
