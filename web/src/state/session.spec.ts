import { beforeEach, describe, expect, it } from 'vitest';
import { fail, FakeEngine } from '../engine/fake';
import type { ConnectionView } from '../wire/ConnectionView';
import { useEngine } from './engine';
import { notices } from './notices.svelte';
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

  it('stands while the socket is alive, whatever the browser says of the network', () => {
    session.networkDown = true;
    expect(session.offline).toBe(false);
    heard({ state: 'offline', retry_ms: 1 });
    expect(session.offline).toBe(true);
    heard({ state: 'online' });
    expect(session.offline).toBe(false);
    session.networkDown = false;
  });

  it('is not lost where it is being made for the first time, or where nobody is signed in', () => {
    heard({ state: 'connecting' });
    expect(session.offline).toBe(false);
    heard({ state: 'offline', retry_ms: null });
    expect(session.offline).toBe(false);
  });
});

describe('signing out', () => {
  const me = { user: 'alice@home.example', name: 'alice', display_name: 'Alice', device: 'd1', role: 'member', phrase_confirmed: true };

  it('is no alarm, though the node tells this device that it is out before it answers', async () => {
    session.me = me;
    const fake = new FakeEngine().on('sign_out', () => {
      notices.heard({ event: 'notice', value: { code: 'signed_out_remotely', user: null } });
      session.heard({ event: 'me', value: null });
      throw fail('not_signed_in');
    });
    useEngine(fake);
    await session.signOut();
    expect(session.me).toBeNull();
    expect(notices.standing).toEqual([]);
  });

  it('that did not succeed says so', async () => {
    session.me = me;
    useEngine(new FakeEngine().on('sign_out', () => Promise.reject(fail('storage_unavailable'))));
    await expect(session.signOut()).rejects.toThrow();
    expect(session.me).toEqual(me);
  });
});
