import { expect, test } from '../support/test.ts';

test('a draft survives a reload, chat by chat', async ({ pair }) => {
  const [alice, bob] = await pair();
  await alice.composer.pressSequentially('half a tho');
  // Another tab shows what the engine has kept, and is gone again before the reload.
  const other = await alice.context.newPage();
  await other.goto(`${alice.node}/#/chats`);
  await expect(other.getByRole('link', { name: new RegExp(bob.displayName) })).toContainText('Draft: half a tho');
  await other.close();
  await alice.page.reload();
  await expect(alice.composer).toHaveValue('half a tho');
  await alice.at('/chats');
  await expect(alice.page.getByRole('link', { name: new RegExp(bob.displayName) })).toContainText('Draft: half a tho');
  await alice.openChat(bob);
  await alice.composer.press('End');
  await alice.composer.pressSequentially('ught');
  await alice.composer.press('Enter');
  await bob.sees(['half a thought']);
  await expect(alice.composer).toHaveValue('');
});

test('a draft is kept to its last letter when one more key is pressed before the page is loaded anew', async ({ pair }) => {
  const [alice] = await pair();
  let typed = '';
  for (const word of ['typed', ' and', ' gone', ' at', ' once']) {
    await alice.composer.press('End');
    await alice.composer.pressSequentially(word);
    // As whoever loads a page anew from the keyboard does. Without it the last letters may still be in the page.
    await alice.page.keyboard.press('Shift');
    await alice.page.reload();
    typed += word;
    await expect(alice.composer).toHaveValue(typed);
  }
});

test('written without a network, reloaded without a network, sent when it is back: once, in order', async ({ pair }) => {
  const [alice, bob] = await pair();
  // The service worker has to have the files before the cable is pulled.
  await alice.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  alice.tap.cut();
  const texts = Array.from({ length: 5 }, (_, index) => `offline ${index + 1}`);
  for (const text of texts) await alice.say(text);
  await alice.sees(texts);
  await alice.page.reload();
  await alice.sees(texts);
  await expect(alice.delivery('offline 5')).toHaveAttribute('data-delivery', /queued|sending/);
  const banner = alice.page.getByText('No connection.');
  await expect(banner).toBeVisible();
  // It stands while the connection is tried again and again, rather than come and go.
  await banner.evaluate((element) => {
    const gone = new MutationObserver(() => element.isConnected || document.body.setAttribute('data-flickered', ''));
    gone.observe(document.body, { childList: true, subtree: true });
  });
  const { refused } = alice.tap;
  await expect.poll(() => alice.tap.refused - refused).toBeGreaterThanOrEqual(3);
  await expect(alice.page.locator('body')).not.toHaveAttribute('data-flickered');
  alice.tap.mend();
  await bob.sees(texts);
  await expect(alice.delivery('offline 5')).toHaveAttribute('data-delivery', /delivered|read/);
  await alice.page.reload();
  await alice.sees(texts);
});

test('the app can be installed, and starts without a network', async ({ home }) => {
  const { alice, node } = await home(['alice']);
  const { page } = alice;
  const manifest = (await (await page.request.get(`${node.url}/manifest.webmanifest`)).json()) as { name: string; start_url: string; display: string; icons: { src: string; sizes: string }[] };
  expect(manifest).toMatchObject({ start_url: '/', display: 'standalone' });
  expect(manifest.icons.map((icon) => icon.sizes)).toEqual(expect.arrayContaining(['192x192', '512x512']));
  for (const icon of manifest.icons) expect((await page.request.get(`${node.url}${icon.src}`)).ok(), icon.src).toBe(true);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  alice.tap.cut();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Chats', exact: true })).toBeVisible();
});

test('typing, read state and a reply reach the other side', async ({ pair }) => {
  const [alice, bob] = await pair();
  // The room exists from the first message on.
  await alice.say('hello');
  await bob.sees(['hello']);
  await bob.composer.pressSequentially('a question?');
  await expect(alice.page.getByRole('main').getByText('typing…')).toBeVisible();
  await bob.composer.press('Enter');
  await alice.sees(['hello', 'a question?']);
  await expect(alice.page.getByRole('main').getByText('typing…')).toBeHidden();
  await alice.log.locator('.bubble').filter({ hasText: 'a question?' }).click({ button: 'right' });
  await alice.page.getByRole('menuitem', { name: 'Reply' }).click();
  await alice.say('an answer.');
  const answer = bob.log.getByRole('article').filter({ hasText: 'an answer.' });
  await expect(answer.locator('.reply')).toContainText('a question?');
  await expect(alice.delivery('an answer.')).toHaveAttribute('data-delivery', 'read');
  const own = alice.log.getByRole('article').filter({ hasText: 'an answer.' });
  await expect(own.locator('.reply')).toContainText('a question?');
  await expect(own.locator('.reply')).toContainText(bob.displayName);
});

test('links open with care, and markup stays text', async ({ pair }) => {
  const [alice, bob] = await pair();
  await alice.say('<img src=x onerror=alert(1)> see https://home.example/page and https://bank.example@evil.example/');
  const bubble = bob.bubbles.first();
  await expect(bubble).toContainText('<img src=x onerror=alert(1)>');
  await expect(bubble.locator('img')).toHaveCount(0);
  const plain = bubble.getByRole('link', { name: 'https://home.example/page' });
  await expect(plain).toHaveAttribute('rel', /noopener noreferrer/);
  await bubble.getByRole('link', { name: 'bank.example@evil' }).click();
  const notice = bob.page.getByRole('dialog', { name: 'Open this link?' });
  await expect(notice).toContainText('https://bank.example@evil.example/');
  await notice.getByRole('button', { name: 'Cancel' }).click();
  await expect(notice).toBeHidden();
});

test('Enter that ends a composition does not send; Chinese arrives as written', async ({ pair }) => {
  const [alice, bob] = await pair();
  const session = await alice.context.newCDPSession(alice.page);
  await alice.composer.focus();
  await session.send('Input.imeSetComposition', { text: 'nihao', selectionStart: 5, selectionEnd: 5 });
  // Browsers report the key that picks the word as 229.
  await session.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: 229 });
  await session.send('Input.insertText', { text: '你好' });
  await expect(alice.composer).toHaveValue('你好');
  await alice.composer.press('Shift+Enter');
  await alice.composer.pressSequentially('在吗');
  await alice.composer.press('Enter');
  await bob.sees(['你好\n在吗']);
});
