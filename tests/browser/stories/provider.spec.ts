import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { clean } from '../support/axe.ts';
import { issueEuros } from '../support/money.ts';
import { expect, test } from '../support/test.ts';

const SCRIPT = join(import.meta.dirname, '../../../examples/webhook_provider.sh');
const IBAN = 'DE89370400440532013000';

test('what a payment provider reports is on the wallet of whoever paid it in, once, and what fits nobody waits for the owner', async ({ home }) => {
  test.slow();
  const folder = await mkdtemp(join(tmpdir(), 'weft-provider-'));
  const [secret, other] = [join(folder, 'cardpay.secret'), join(folder, 'other.secret')];
  await writeFile(secret, 'a secret that the provider and the node share\n');
  await writeFile(other, 'a secret that nobody shares with anybody at all\n');
  const { alice, bob, node } = await home(['alice', 'bob'], { settings: { WEFT_WEBHOOKS__PROVIDERS: `[{ name = "cardpay", secret_file = "${secret}" }]` } });
  const report = async (id: string, cents: string, reference: string, signed = secret): Promise<string> => {
    const { stdout } = await promisify(execFile)('sh', [SCRIPT, `${node.url}/api/v1/wallet/webhooks/cardpay`, signed, id, cents, 'EUR', reference]).catch((failure: { stdout: string }) => failure);
    return stdout;
  };
  try {
    await issueEuros(alice);
    await alice.at('/me/wallet/reconcile');
    const desk = alice.page.getByRole('main');
    await desk.getByRole('button', { name: /^Euro/ }).click();
    const account = alice.page.getByRole('dialog');
    await account.getByLabel('Account holder').fill('Orchard e.V.');
    await account.getByLabel('IBAN').fill(IBAN);
    await account.getByRole('button', { name: 'Save' }).click();
    await expect(account).toHaveCount(0);

    await bob.at('/me/wallet/topup');
    const shown = await bob.page.getByText(/RF\d\d [0-9A-Z ]+/).first().innerText();
    const reference = /RF\d\d[0-9A-Z]+/.exec(shown.replaceAll(' ', ''))?.[0] ?? '';

    // He looks at his wallet while it comes; what is signed by nobody known does not come.
    await bob.at('/me/wallet');
    const main = bob.page.getByRole('main');
    await expect(main).toBeVisible();
    expect(await report('pay_1', '9900', reference, other)).toContain('bad_signature');
    for (const _ of ['reported', 'and again']) {
      expect(await report('pay_1', '2500', reference)).toContain('credited');
      await expect(bob.page.getByRole('group', { name: 'Accounts' })).toContainText('25.00');
    }
    expect(await report('pay_2', '300', '')).toContain('waiting');
    const line = main.getByRole('button', { name: /25\.00 EUR/ });
    await expect(line).toHaveCount(1);
    await expect(line).toContainText('Top-up');
    await clean(bob.page, 'a top-up in the history');
    await alice.at('/me/wallet');
    await alice.at('/me/wallet/reconcile');
    await expect(desk.getByText(/\+3\.00/)).toBeVisible();
    await expect(desk.getByText(/\+25\.00/)).toHaveCount(0);

    // The owner knows whose it is, and bob sees that come as well.
    await desk.getByRole('button', { name: /\+3\.00/ }).click();
    const work = alice.page.getByRole('dialog');
    await work.getByLabel('Member').fill(bob.name);
    await clean(alice.page, 'what a provider has reported without a reference');
    await work.getByRole('button', { name: 'It is theirs' }).click();
    await expect(work).toHaveCount(0);
    await expect(bob.page.getByRole('group', { name: 'Accounts' })).toContainText('28.00');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
