import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Locator, type TestInfo } from '@playwright/test';
import type { Person } from './person.ts';

/** A code as it is on somebody's screen: what it was drawn from, and its picture. */
export interface Shown {
  text: string;
  picture: Buffer;
}

export async function shown(code: Locator): Promise<Shown> {
  await expect(code).toBeVisible();
  const text = await code.getAttribute('data-content');
  if (!text) throw new Error('the code says nothing');
  // A canvas is drawn a moment after it is there.
  let picture: Buffer = await code.screenshot();
  for (let before: Buffer = Buffer.alloc(0); !before.equals(picture); ) [before, picture] = [picture, await code.screenshot()];
  return { text, picture };
}

/** What Debian's zbarimg reads in a picture; none, and the story says so, where it is not installed. */
export async function byZbar(picture: Buffer, info: TestInfo): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-zbar-'));
  try {
    const file = join(folder, 'code.png');
    await writeFile(file, picture);
    const { error, status, stdout, stderr } = spawnSync('zbarimg', ['--quiet', '--raw', file], { encoding: 'utf8' });
    if (error && 'code' in error && error.code === 'ENOENT') {
      info.annotations.push({ type: 'not checked', description: 'zbarimg is not installed (Debian: zbar-tools): codes are read by the app alone' });
      return null;
    }
    expect(status, stderr).toBe(0);
    return stdout.replace(/\n$/, '');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Gives the picture of a code to the wallet, whose own decoder reads it. */
export async function scan(who: Person, picture: Buffer): Promise<Locator> {
  await who.at('/me/wallet');
  await who.page.getByRole('button', { name: 'Scan', exact: true }).click();
  const sheet = who.page.getByRole('dialog');
  await sheet.locator('input[type=file]').setInputFiles({ name: 'code.png', mimeType: 'image/png', buffer: picture });
  return sheet;
}
