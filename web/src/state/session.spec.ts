import { beforeEach, describe, expect, it } from 'vitest';
import { FakeEngine } from '../engine/fake';
import type { ConnectionView } from '../wire/ConnectionView';
import { useEngine } from './engine';
import { session } from './session.svelte';

const heard = (value: ConnectionView): void => session.heard({ event: 'connection', value });

describe('the connection', () => {
  beforeEach(() => {
    useEngine(new FakeEngine());
    heard({ state: 'online' });
  });

  it('is lost until it is back: a try in between is no news', () => {
    heard({ state: 'offline', retry_ms: 1 });
    expect(session.offline).toBe(true);
    heard({ state: 'connecting' });
    expect(session.offline).toBe(true);
    heard({ state: 'offline', retry_ms: 2 });
    expect(session.offline).toBe(true);
    heard({ state: 'online' });
    expect(session.offline).toBe(false);
  });

  it('is not lost where it is being made for the first time, or where nobody is signed in', () => {
    heard({ state: 'connecting' });
    expect(session.offline).toBe(false);
    heard({ state: 'offline', retry_ms: null });
    expect(session.offline).toBe(false);
  });
});
