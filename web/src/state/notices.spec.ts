import { beforeEach, describe, expect, it, vi } from 'vitest';

type Notices = typeof import('./notices.svelte').notices;

/** What a page that is opened anew has. */
async function page(device: string): Promise<Notices> {
  vi.resetModules();
  const { notices } = await import('./notices.svelte');
  notices.signedIn(device);
  return notices;
}

function hear(notices: Notices, code: string, user: string | null = null): void {
  notices.heard({ event: 'notice', value: { code, user } });
}

const codes = (notices: Notices): string[] => notices.standing.map((notice) => notice.code);

describe('lines that pass by', () => {
  it('are gone with the sign-out, wherever that came from: they may name a contact', async () => {
    const notices = await page('d1');
    notices.say('Carol is your contact now.', 'good');
    notices.heard({ event: 'me', value: null });
    expect(notices.toasts).toEqual([]);
    notices.say('Carol is your contact now.', 'good');
    notices.clear();
    expect(notices.toasts).toEqual([]);
  });
});

describe('alarms about the account', () => {
  beforeEach(() => localStorage.clear());

  it('outlive the page until they are seen', async () => {
    const first = await page('d1');
    hear(first, 'device_added');
    hear(first, 'foreign_device');
    const second = await page('d1');
    expect(codes(second)).toEqual(['device_added', 'foreign_device']);
    second.seen({ code: 'device_added', user: null });
    expect(codes(await page('d1'))).toEqual(['foreign_device']);
  });

  it('are of one device alone, and end when it signs out', async () => {
    const first = await page('d1');
    hear(first, 'device_added');
    expect(codes(await page('d1'))).toEqual(['device_added']);
    expect(codes(await page('d2'))).toEqual([]);
    const again = await page('d1');
    hear(again, 'device_added');
    again.clear();
    expect(codes(await page('d1'))).toEqual([]);
  });

  it('leave nothing behind that names a contact', async () => {
    hear(await page('d1'), 'key_changed', 'bob@home.example');
    expect(JSON.stringify({ ...localStorage })).not.toContain('bob');
    expect(codes(await page('d1'))).toEqual([]);
  });

  it('are gone when another tab has seen them', async () => {
    const here = await page('d1');
    here.start();
    hear(here, 'device_added');
    localStorage.removeItem('weft.notices');
    dispatchEvent(new StorageEvent('storage', { key: 'weft.notices' }));
    expect(codes(here)).toEqual([]);
  });
});
