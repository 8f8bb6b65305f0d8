import { writeFile } from 'node:fs/promises';
import type { TestInfo } from '@playwright/test';
import { byZbar, scan, shown } from '../support/codes.ts';
import { around } from '../support/groups.ts';
import { begin, issueEuros, issueTo, minor, pay } from '../support/money.ts';
import { printed, Reader, textOf, type Sheet } from '../support/pdf.ts';
import type { Person } from '../support/person.ts';
import { openShop, TITLE } from '../support/shop.ts';
import { expect, test as base } from '../support/test.ts';

const IBAN = 'DE89370400440532013000';
/** What no paper shows: the app around it. */
const CHROME = /Chats|Contacts|Show statement|Download|Print or save|Back\b/;
/** What an office printer leaves white, and a hole punch takes: in mm. */
const MARGIN = 12;

const test = base.extend<{ reader: Reader }>({
  reader: async ({ browser }, use) => {
    const reader = await Reader.open(browser);
    await use(reader);
    await reader.close();
  },
});

/** Prints, reads what was printed, and keeps it beside the results. On paper there is nothing of the app, and room around. */
async function onPaper(reader: Reader, person: Person, info: TestInfo): Promise<{ sheets: Sheet[]; name: string }> {
  const { pdf, name } = await printed(person);
  const sheets = await reader.read(pdf);
  await writeFile(info.outputPath(`${name}.pdf`), pdf);
  expect(textOf(sheets)).not.toMatch(CHROME);
  for (const { width, height, lines } of sheets) {
    expect([Math.round(width), Math.round(height)]).toEqual([210, 297]);
    for (const { text, left, right, top } of lines.flat()) {
      expect(left, text).toBeGreaterThan(MARGIN);
      expect(right, text).toBeLessThan(width - MARGIN);
      expect(top, text).toBeGreaterThan(MARGIN);
      expect(top, text).toBeLessThan(height - MARGIN / 2);
    }
  }
  return { sheets, name };
}

/** Whoever likes it dark has it dark on the screen alone. */
async function sameInTheDark(reader: Reader, person: Person, light: readonly Sheet[], info: TestInfo): Promise<void> {
  await person.page.emulateMedia({ colorScheme: 'dark' });
  const { sheets } = await onPaper(reader, person, info);
  await person.page.emulateMedia({ colorScheme: 'light' });
  expect(sheets.map(({ picture }) => picture.toString('base64'))).toEqual(light.map(({ picture }) => picture.toString('base64')));
}

/** So many credits by a file of the bank, each of another amount; the last brings more than a thousand. */
function bankFile(reference: string, amounts: readonly number[]): string {
  const decimal = (amount: number): string => `${Math.floor(amount / 100)},${String(amount % 100).padStart(2, '0')}`;
  const sum = amounts.reduce((all, amount) => all + amount, 0);
  const lines = amounts.flatMap((amount, index) => [`:61:2411011101C${decimal(amount)}NTRFNONREF//${index + 1}`, `:86:${reference}`]);
  return [':20:STATEMENT', `:25:${IBAN}`, ':28C:1/1', ':60F:C241101EUR0,00', ...lines, `:62F:C241101EUR${decimal(sum)}`, '-', ''].join('\n');
}

/** As whoever keeps books would: down all pages, with the balance that stands behind each line. */
function addUp(sheets: readonly Sheet[]): { counted: number; waiting: number } {
  const lines = sheets.flatMap(({ lines: some }) => some.map((line) => line.map(({ text }) => text)));
  const sum = (name: string): number => minor(lines.find(([first]) => first === name)?.at(-1) ?? '');
  const [opening, credit, debit, closing] = [sum('Opening balance'), sum('In'), sum('Out'), sum('Closing balance')];
  expect(opening + credit + debit).toBe(closing);
  let [balance, into, outOf, counted, waiting] = [opening, 0, 0, 0, 0];
  for (const line of lines) {
    if (!/^\d\d\/\d\d\/\d{4}, \d\d:\d\d$/.test(line[0] ?? '')) continue;
    expect(line, line.join()).toHaveLength(4);
    const amount = minor(line[2] ?? '');
    // What has not happened yet says so behind its name, and counts for nothing.
    if (line[1]?.includes('Waiting')) waiting += 1;
    else {
      counted += 1;
      balance += amount;
      if (amount > 0) into += amount;
      else outOf += amount;
    }
    expect(minor(line[3] ?? ''), line.join()).toBe(balance);
  }
  expect([balance, into, outOf]).toEqual([closing, credit, debit]);
  return { counted, waiting };
}

test('a statement of two hundred lines on paper adds up to its balances, with its headings on each page', async ({ home, reader }, info) => {
  test.slow();
  const { alice, bob } = await home(['alice', 'bob']);
  await around(alice, [bob]);
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
  const reference = (await bob.page.getByText(/RF\d\d [0-9A-Z ]+/).first().innerText()).replaceAll(' ', '').match(/RF\d\d[0-9A-Z]+/)?.[0] ?? '';
  const file = bankFile(reference, [...Array.from({ length: 199 }, (_, index) => 101 + 7 * index), 123_456]);
  await desk.locator('input[type=file]').setInputFiles({ name: 'november.sta', mimeType: 'text/plain', buffer: Buffer.from(file) });
  await expect(desk.getByRole('status')).toContainText('200 credited to members', { timeout: 120_000 });

  // One payment is the other's, and one waits.
  await bob.openChat(alice);
  for (const [index, amount] of ['12.34', '5'].entries()) {
    const form = await begin(bob, 'Transfer');
    await form.getByLabel('Amount').fill(amount);
    await form.getByRole('button', { name: 'Continue' }).click();
    await pay(bob, { first: index === 0, to: alice });
  }
  await alice.openChat(bob);
  await alice.log.getByText('12.34 EUR').click();
  await alice.page.getByRole('dialog').getByRole('button', { name: 'Accept' }).click();
  await expect(alice.page.getByRole('dialog')).toContainText('You have received it');

  await bob.at('/me/wallet/statement');
  await bob.page.getByRole('button', { name: 'Show statement' }).click();
  await expect(bob.page.getByRole('article', { name: 'Statement' })).toBeVisible();
  const { sheets, name } = await onPaper(reader, bob, info);
  expect(name).toMatch(/^weft-EUR-\d{4}-\d\d-01-\d{4}-\d\d-\d\d$/);
  expect(addUp(sheets)).toEqual({ counted: 201, waiting: 1 });
  expect(textOf(sheets.slice(0, 1))).toContain(`${bob.displayName} · ${bob.address}`);

  // Each page begins with the headings, and with a line that is whole; it says which of how many it is.
  expect(sheets.length).toBeGreaterThan(3);
  expect(sheets.length).toBeLessThan(8);
  for (const [index, { lines }] of sheets.entries()) {
    const text = lines.map((line) => line.map((words) => words.text).join(' | '));
    const head = text.indexOf('Date | With whom | Amount | Balance');
    if (index > 0) expect(head).toBe(0);
    expect(text[head + 1]).toMatch(/^\d\d\/\d\d\/\d{4}, \d\d:\d\d \| /);
    expect(text.at(-1)).toBe(`${index + 1} / ${sheets.length}`);
  }
  await sameInTheDark(reader, bob, sheets, info);
});

test('an invoice on paper says who, to whom, how much, by when, by which reference, and whether it is paid', async ({ home, reader }, info) => {
  test.slow();
  const { alice, bob } = await home(['alice', 'bob']);
  await around(alice, [bob]);
  await issueEuros(alice);
  await issueTo(alice, bob, '2000');
  await alice.at('/me/wallet/invoices');
  await alice.page.getByRole('button', { name: 'New invoice' }).click();
  const form = alice.page.getByRole('main');
  await form.getByLabel('Member').fill(bob.name);
  await form.getByLabel('What for').fill('Apples of the old tree, by the basket');
  await form.getByLabel('Quantity').fill('2.5');
  await form.getByLabel('Price each').fill('400');
  await form.getByLabel('Tax').fill('7');
  const due = await form.getByLabel('Payable by').inputValue();
  await form.getByRole('button', { name: 'Send invoice' }).click();
  const article = form.getByRole('article', { name: 'Invoice' });
  await expect(article).toContainText('1,070.00');

  const dueDay = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(due));
  const says = async (person: Person, state: string): Promise<Sheet[]> => {
    const { sheets, name } = await onPaper(reader, person, info);
    const text = textOf(sheets);
    expect(name).toBe(`Invoice 1 ${alice.displayName}`);
    expect(sheets).toHaveLength(1);
    expect(text).toContain(`${alice.displayName}\n${alice.address}\n`);
    expect(text).toMatch(new RegExp(`Invoice 1( \\| | )${state}`));
    expect(text).toContain(`\nTo\n${bob.displayName}\n${bob.address}\n`);
    expect(text).toContain(`Payable by | ${dueDay}`);
    expect(text).toMatch(/Without tax \| 1,000\.00.EUR\n/);
    expect(text).toMatch(/Tax 7.?% \| 70\.00.EUR\n/);
    expect(text).toMatch(/To pay in all \| 1,070\.00.EUR\n/);
    expect(remainder(/Reference \(RF\)[ |]+(RF[0-9A-Z ]+)/.exec(text)?.[1] ?? '')).toBe(1n);
    return sheets;
  };
  await sameInTheDark(reader, alice, await says(alice, 'Waiting'), info);

  await bob.at('/me/wallet/invoices');
  await bob.page.getByRole('main').getByRole('link', { name: /1,070\.00/ }).click();
  await bob.page.getByRole('button', { name: /^Pay 1,070\.00/ }).click();
  await pay(bob, { first: true, to: alice });
  for (const someone of [bob, alice]) {
    await expect(someone.page.getByRole('article', { name: 'Invoice' })).toContainText('Paid on');
    const text = textOf(await says(someone, 'Paid'));
    expect(text).toMatch(/Paid on \| \d+ \w+ \d{4}\n/);
    expect(text).toMatch(/Receipt number[ |]+[0-9a-f]{8}/);
  }
});

test('a shop sign on paper has the name of the shop, and a code that is read off the sheet', async ({ home, reader }, info) => {
  test.slow();
  const { alice, bob } = await home(['alice', 'bob']);
  await issueEuros(alice);
  await issueTo(alice, bob, '2000');
  await openShop(alice);
  await alice.page.getByRole('link', { name: 'Shop sign' }).click();
  const { text } = await shown(alice.page.getByRole('article', { name: 'Shop sign' }).getByRole('img'));
  const { sheets, name } = await onPaper(reader, alice, info);
  expect(name).toBe(`weft-${alice.name}-shop-EUR`);
  expect(sheets).toHaveLength(1);
  const picture = sheets[0]?.picture ?? Buffer.alloc(0);
  // Some of its characters share their sign with another one, under which a reader knows them.
  expect(textOf(sheets)).toMatch(/^街..包店( \| | )Corner Bakery\n/);
  expect(textOf(sheets)).toContain('Scan to pay in EUR');
  const other = await byZbar(picture, info);
  if (other !== null) expect(other).toBe(text);
  const sheet = await scan(bob, picture);
  await expect(sheet.locator('[data-scanned]')).toHaveAttribute('data-scanned', text);
  await expect(sheet).toContainText(TITLE);
  await sameInTheDark(reader, alice, sheets, info);
});

/** ISO 11649: the number that a reference stands for leaves 1 when it is divided by 97. */
function remainder(reference: string): bigint {
  const plain = reference.replaceAll(' ', '');
  const digits = [...`${plain.slice(4)}${plain.slice(0, 4)}`].map((sign) => parseInt(sign, 36)).join('');
  return digits ? BigInt(digits) % 97n : -1n;
}
