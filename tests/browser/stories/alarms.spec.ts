import type { Locator } from '@playwright/test';
import { decode, type Value } from '../support/cbor.ts';
import { Node } from '../support/node.ts';
import { PASSWORD, type Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

function alarm(of: Person, text: string | RegExp): Locator {
  return of.page.getByRole('alert').filter({ hasText: text });
}

/** Signs in with somebody's account, in a browser of its own. */
async function signInAs(device: Person, owner: Person): Promise<void> {
  await device.page.goto(`${device.node}/#/sign-in`);
  await device.page.getByLabel('User name').fill(owner.name);
  await device.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await device.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await device.inside();
}

test('a new device is announced on the others, and can be signed out from there', async ({ home }) => {
  const { alice, browserOf } = await home(['alice']);
  const tablet = await browserOf('tablet');
  await signInAs(tablet, alice);
  const added = alarm(alice, 'A new device has signed in to your account.');
  await expect(added).toBeVisible();
  await expect(tablet.page.getByRole('alert')).toHaveCount(0);
  // Nobody has seen it yet: it outlives the page.
  await alice.page.reload();
  await expect(added).toBeVisible();
  // The tablet is not the only one that has the messages.
  await tablet.at('/me/sign-out');
  await expect(tablet.page.getByText('All messages and keys are removed')).toBeVisible();
  await expect(tablet.page.getByText('This is the only device')).toHaveCount(0);
  await tablet.at('/chats');

  await added.getByRole('link', { name: 'Devices' }).click();
  await expect(added).toBeHidden();
  await alice.page.reload();
  await alice.inside();
  await expect(added).toBeHidden();
  const { page } = alice;
  await page.getByRole('main').getByRole('button', { name: 'Sign out' }).click();
  const sheet = page.getByRole('dialog', { name: 'Sign this device out?' });
  await sheet.getByRole('button', { name: 'Sign out' }).click();
  await expect(sheet).toBeHidden();
  await expect(page.getByRole('main').getByRole('button', { name: 'Sign out' })).toHaveCount(0);
  await expect(tablet.page.getByText('This device was signed out. Please sign in again.')).toBeVisible();
});

test('a device that the account never approved is an alarm, and stands out in the list', async ({ home }) => {
  const { alice, browserOf } = await home(['alice']);
  const tablet = await browserOf('tablet');
  const main = alice.page.getByRole('main');
  const row = (title: string): Locator => main.locator('.row').filter({ hasText: title });
  // The list arrives with another signature for every device but hers.
  let own: Buffer | undefined;
  alice.tap.onAnswer = (path, body) => {
    const devices = path.endsWith('/devices') ? find(decode(body), 'devices') : [];
    for (const device of devices as Value[]) {
      const signature = Buffer.from(find(device, 'signature') as Uint8Array);
      own ??= signature;
      if (!signature.equals(own)) body[body.indexOf(signature)]! ^= 1;
    }
    return body;
  };
  await alice.at('/me/devices');
  await expect(row('This device')).toContainText('Added');
  await alice.at('/chats');
  // What the node says of the new device arrives with another signature than the account made.
  alice.tap.onFrames = (bytes) => {
    const item = bytes.indexOf('device_added');
    const signature = item < 0 ? -1 : bytes.indexOf('signature', item);
    // The name is followed by two bytes that say how long the signature is.
    if (signature >= 0) bytes[signature + 'signature'.length + 2]! ^= 1;
    return bytes;
  };
  await signInAs(tablet, alice);
  const foreign = alarm(alice, 'a device that you never approved');
  await expect(foreign).toContainText('Lindenhof');
  await expect(alarm(alice, 'A new device has signed in')).toHaveCount(0);
  await foreign.getByRole('button', { name: 'Understood' }).click();
  await expect(foreign).toBeHidden();

  await alice.at('/me/devices');
  await expect(row('Another device')).toContainText('Not approved by your keys');
  await expect(row('Another device')).toHaveClass(/danger/);
  await expect(row('This device')).not.toHaveClass(/danger/);
  await expect(main).not.toContainText('1970');
});

type Identity = { body: Buffer; signature: Buffer };

/** Listens for the signed identity that a person hands to their node when they sign up. */
function identityOf(who: Person): Promise<Identity> {
  return new Promise((resolve) => {
    who.tap.onRequest = (_path, body) => {
      const found = body.length > 0 && body.includes('identity') ? find(decode(body), 'identity') : null;
      if (found instanceof Map && found.has('signature')) resolve({ body: Buffer.from(found.get('body') as Uint8Array), signature: Buffer.from(found.get('signature') as Uint8Array) });
      return body;
    };
  });
}

function find(value: Value, name: string): Value | null {
  if (!(value instanceof Map)) return null;
  for (const [key, inner] of value) {
    const found = key === name ? inner : find(inner, name);
    if (found !== null) return found;
  }
  return null;
}

test('a node that shows another key for somebody is found out, and nothing is written to it', async ({ person, node }) => {
  // The impostor has Bob's address, at a node of the same name.
  const other = await Node.start();
  try {
    const [alice, bob, impostor] = [await person('alice'), await person('bob'), await person('bob', {}, other)];
    const [real, false_] = [identityOf(bob), identityOf(impostor)];
    await impostor.signUp(await other.invite());
    await alice.signUp(await node.invite());
    await bob.signUp(await node.invite());
    const [from, to] = [await real, await false_];
    expect(to.body.length).toBe(from.body.length);
    const link = await alice.link();
    await bob.follow(link);
    await alice.openChat(bob);
    await bob.say('it is me');
    await alice.sees(['it is me']);
    const about = `/contacts/${encodeURIComponent(bob.address)}`;
    const digits = alice.page.getByRole('group', { name: 'Safety number' });
    await alice.at(`${about}/verify`);
    const before = await digits.innerText();

    const swap = (bytes: Buffer): Buffer => {
      for (const part of ['body', 'signature'] as const) for (let at = bytes.indexOf(from[part]); at >= 0; at = bytes.indexOf(from[part], at)) to[part].copy(bytes, at);
      return bytes;
    };
    alice.tap.onFrames = swap;
    alice.tap.onAnswer = (_path, body) => swap(body);
    // The node has something to say about Bob: he goes, and comes again.
    await bob.at(`/contacts/${encodeURIComponent(alice.address)}`);
    await bob.page.getByRole('button', { name: 'Remove contact' }).click();
    await bob.page.getByRole('dialog').getByRole('button', { name: 'Remove contact' }).click();
    await expect(bob.page.getByRole('dialog')).toBeHidden();
    await bob.follow(link);

    const changed = alarm(alice, `The safety number of ${bob.displayName} has changed.`);
    await expect(changed.first()).toBeVisible();
    await alice.at(about);
    await alice.page.getByRole('main').getByRole('button', { name: 'Message' }).click();
    await expect(alice.page.getByRole('main').getByText('Their safety number has changed. Compare it before you write.')).toBeVisible();
    await expect(alice.composer).toHaveCount(0);
    await expect(alice.log).toContainText(`The safety number of ${bob.displayName} has changed`);

    // They compare: Bob's own code does not fit what the node shows.
    await alice.page.getByRole('main').getByRole('link', { name: 'Safety number' }).click();
    await expect(digits).toBeVisible();
    expect(await digits.innerText()).not.toBe(before);
    await bob.at(`/contacts/${encodeURIComponent(alice.address)}/verify`);
    const photo = await bob.page.getByRole('img', { name: /QR code for/ }).screenshot();
    await alice.page.getByRole('button', { name: /Scan the code of/ }).click();
    await alice.page.getByLabel('Choose a picture').setInputFiles({ name: 'photo.png', mimeType: 'image/png', buffer: photo });
    await expect(alice.page.getByRole('main').getByText('The codes do not match')).toBeVisible();
    await changed.first().getByRole('button', { name: 'Understood' }).click();
    await alice.at('/chats');
    await expect(alice.page.getByRole('alert')).toHaveCount(0);
  } finally {
    await other.stop();
  }
});
