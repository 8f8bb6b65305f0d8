import type { CDPSession } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { around } from '../support/groups.ts';
import { begin, issueEuros, issueTo, PIN } from '../support/money.ts';
import { Node } from '../support/node.ts';
import { PASSWORD, type Person } from '../support/person.ts';
import { expect, test } from '../support/test.ts';

/** What stands in for the finger, and for the chip that knows it. */
class Authenticator {
  readonly #browser: CDPSession;
  #id = '';

  private constructor(browser: CDPSession) {
    this.#browser = browser;
  }

  static async of(person: Person): Promise<Authenticator> {
    const browser = await person.context.newCDPSession(person.page);
    await browser.send('WebAuthn.enable');
    const authenticator = new Authenticator(browser);
    await authenticator.#plug();
    return authenticator;
  }

  async #plug(): Promise<void> {
    const { authenticatorId } = await this.#browser.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, hasPrf: true },
    });
    this.#id = authenticatorId;
  }

  /** For whom it keeps passkeys. */
  async keeps(): Promise<(string | undefined)[]> {
    const { credentials } = await this.#browser.send('WebAuthn.getCredentials', { authenticatorId: this.#id });
    return credentials.map((one) => one.rpId);
  }

  /** Whether the finger is the right one. */
  async knows(isUserVerified: boolean): Promise<void> {
    await this.#browser.send('WebAuthn.setUserVerified', { authenticatorId: this.#id, isUserVerified });
  }

  /** A new one in its place, which knows nothing: after wrong fingers one takes none any more, until it is unlocked. */
  async swap(): Promise<void> {
    await this.#browser.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.#id });
    await this.#plug();
  }
}

/** What the wallet says that there is. */
async function has(person: Person, amount: string): Promise<void> {
  await person.at('/me/wallet');
  await expect(person.page.getByRole('group', { name: 'Accounts' })).toContainText(amount);
}

async function newPin(person: Person): Promise<void> {
  const { page } = person;
  await person.at('/me/wallet/pin');
  await page.getByLabel('New payment PIN').fill(PIN);
  await page.getByLabel('The same PIN again').fill(PIN);
  await page.getByLabel('Confirm with your account password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Set payment PIN' }).click();
  await expect(page.getByRole('link', { name: 'Change payment PIN' })).toBeVisible();
}

test('a finger pays in place of the PIN, which does where the finger does not', async ({ person }) => {
  test.slow();
  const node = await Node.start();
  try {
    // A passkey belongs to a name, and a browser calls no other plain address safe.
    const named = { url: node.url.replace('127.0.0.1', 'localhost') };
    const [alice, bob] = [await person('alice', {}, node), await person('bob', {}, named)];
    await alice.signUp(await node.invite());
    await bob.signUp((await node.invite()).replace(node.url, named.url));
    await around(alice, [bob]);
    await issueEuros(alice);
    await issueTo(alice, bob, '50');
    const finger = await Authenticator.of(bob);
    const toggle = bob.page.getByRole('switch', { name: /^Fingerprint, face or security key/ });
    const sheet = bob.page.getByRole('dialog');
    const use = sheet.getByRole('button', { name: 'Use fingerprint, face or key' });
    const transfer = async (): Promise<void> => {
      await bob.openChat(alice);
      const form = await begin(bob, 'Transfer');
      await form.getByLabel('Amount').fill('5');
      await form.getByRole('button', { name: 'Continue' }).click();
      await expect(sheet.getByLabel('Payment PIN', { exact: true })).toBeVisible();
    };

    // Switched on, with the PIN.
    await newPin(bob);
    await bob.at('/me/wallet/pin');
    await expect(toggle).not.toBeChecked();
    await toggle.click();
    await sheet.getByLabel('Payment PIN', { exact: true }).fill('111112');
    await expect(sheet).toContainText('This is not your payment PIN.');
    await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
    await expect(sheet).toHaveCount(0);
    await expect(toggle).toBeChecked();
    await clean(bob.page, 'payment PIN, with a passkey');
    expect(await finger.keeps()).toEqual(['localhost']);

    // It pays, also after the page was loaded anew.
    await bob.page.reload();
    await bob.inside();
    await transfer();
    await clean(bob.page, 'payment with a passkey');
    await use.click();
    await expect(sheet).toHaveCount(0, { timeout: 60_000 });
    await has(bob, '45.00');

    // Somebody else's finger, and no passkey any more: the PIN does.
    for (const [lost, left] of [[() => finger.knows(false), '40.00'], [() => finger.swap(), '35.00']] as const) {
      await lost();
      await transfer();
      await use.click();
      await expect(sheet.getByRole('alert')).toContainText('could not confirm that it is you', { timeout: 60_000 });
      await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
      await expect(sheet).toHaveCount(0, { timeout: 60_000 });
      await has(bob, left);
    }

    // Switched off, and on again; a new PIN ends it.
    await bob.at('/me/wallet/pin');
    await toggle.click();
    await expect(toggle).not.toBeChecked();
    await toggle.click();
    await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
    await expect(toggle).toBeChecked();
    await newPin(bob);
    await transfer();
    await expect(use).toHaveCount(0);
    await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
    await expect(sheet).toHaveCount(0, { timeout: 60_000 });
    await has(bob, '30.00');

    // Where the address is a number nothing of it is seen.
    await Authenticator.of(alice);
    await newPin(alice);
    await alice.at('/me/wallet/pin');
    await expect(alice.page.getByLabel('New payment PIN')).toBeVisible();
    await expect(alice.page.getByRole('switch')).toHaveCount(0);
  } finally {
    await node.stop();
  }
});
