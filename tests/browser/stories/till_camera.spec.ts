import type { Locator } from '@playwright/test';
import { clean } from '../support/axe.ts';
import { expect, test } from '../support/camera.ts';
import { Clock } from '../support/clock.ts';
import { issueEuros, issueTo, setPin, PIN } from '../support/money.ts';
import type { Person } from '../support/person.ts';
import { openShop, TITLE } from '../support/shop.ts';

/** Longer than a code of a payer lives. */
const TWO_MINUTES_MS = 120_000;

function dialog(person: Person): Locator {
  return person.page.getByRole('dialog');
}

/** The code that somebody shows, once the PIN is typed. */
async function code(person: Person): Promise<Locator> {
  const sheet = dialog(person);
  await sheet.getByLabel('The shop may take up to').fill('20');
  await sheet.getByRole('button', { name: 'Continue' }).click();
  await sheet.getByLabel('Payment PIN', { exact: true }).fill(PIN);
  await expect(sheet).toContainText('Valid for');
  return sheet.getByRole('img', { name: 'Your payment code' });
}

test('the till’s camera reads bob’s phone: his code pays once, and what is no code of a payer takes nothing', async ({ home, film }) => {
  test.slow();
  const clock = await Clock.make();
  try {
    const phoneOf = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
    const { alice, bob } = await home(['alice', 'bob'], { settings: clock.settings, options: { bob: phoneOf } });
    await issueEuros(alice);
    await issueTo(alice, bob, '50.00');
    await openShop(alice);
    await setPin(bob);

    // Bob holds up the wrong code. The till says so, and its camera goes on looking.
    await bob.link();
    await film.show(bob.page.getByRole('img', { name: 'QR code of your link' }));
    const [till, phone] = [dialog(alice), dialog(bob)];
    const amount = alice.page.getByLabel('Amount');
    await amount.fill('5');
    await alice.page.getByRole('button', { name: 'Scan the customer' }).click();
    await expect(till).toContainText("This is no customer's code");
    await expect(till.locator('video')).toBeVisible();
    await clean(alice.page, 'a till that was shown something else');

    // It has only to be held there.
    await bob.at('/me/wallet');
    await bob.page.getByRole('button', { name: 'Show code' }).click();
    await film.show(await code(bob));
    await expect(till).toContainText(`Paid by ${bob.name}`);
    await expect(till).toContainText('5.00 EUR');
    await expect(phone).toContainText(`Paid to ${TITLE}`);
    await expect(phone).toContainText('5.00 EUR');
    await till.getByRole('button', { name: 'Next customer' }).click();

    // A photo of the same code is worth nothing.
    await amount.fill('3');
    await alice.page.getByRole('button', { name: 'Scan the customer' }).click();
    await expect(till).toContainText('This code was used before');
    await clean(alice.page, 'a till that was shown a used code');

    // Nor is one that was shown too long ago.
    await phone.getByRole('button', { name: 'Done' }).click();
    await bob.page.getByRole('button', { name: 'Show code' }).click();
    await film.show(await code(bob));
    await clock.passMs(TWO_MINUTES_MS);
    await till.getByRole('button', { name: 'Scan again' }).click();
    await expect(till).toContainText('This payment code is wrong, was used, or is too old.');

    // With nothing in front of it the camera goes on looking, until there is a new one.
    await film.take(null);
    await till.getByRole('button', { name: 'Scan again' }).click();
    await expect(till).toContainText('Hold the code that the customer shows in front of the camera.');
    await expect(till.locator('video')).toBeVisible();

    await till.getByRole('button', { name: 'Close' }).click();
    await expect(alice.page.getByRole('button', { name: 'Balance and pay-out' })).toContainText('5.00 EUR');
    await bob.at('/me/wallet');
    await expect(bob.page.getByRole('group', { name: 'Accounts' })).toContainText('45.00');
  } finally {
    await clock.remove();
  }
});
