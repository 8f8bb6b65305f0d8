import { expect } from '@playwright/test';
import type { Person } from './person.ts';

/** Two people become contacts of the first, and know nothing of each other. */
export async function around(host: Person, guests: Person[]): Promise<void> {
  const link = await host.link();
  for (const guest of guests) await guest.follow(link);
}

/** Makes a group with some contacts, and stands in its chat. */
export async function makeGroup(host: Person, name: string, guests: Person[]): Promise<void> {
  const { page } = host;
  await host.at('/chats');
  await page.getByRole('button', { name: 'New', exact: true }).click();
  await page.getByRole('menuitem', { name: 'New group' }).click();
  await page.getByLabel('Group name').fill(name);
  for (const guest of guests) await page.getByRole('checkbox', { name: new RegExp(guest.displayName) }).check();
  await page.getByRole('button', { name: 'Create group' }).click();
  await expect(host.composer).toBeVisible();
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible();
  await expect(host.page.getByText(`${guests.length + 1} member`)).toBeVisible();
}

/** What stands beside a chat: presses a member, and one of what can be done with them. */
export async function tell(who: Person, member: Person, what: string): Promise<void> {
  await who.showDetails();
  await who.details.getByRole('button', { name: new RegExp(member.displayName) }).click();
  await who.page.getByRole('dialog').getByRole('button', { name: what }).click();
}

/** The link of the open group; it asks for somebody's agreement, or not. */
export async function groupLink(host: Person, approval = true): Promise<string> {
  await host.showDetails();
  await host.details.getByRole('link', { name: 'Group link and code' }).click();
  const field = host.details.getByRole('textbox', { name: 'Group link and code' });
  await expect(field).toHaveValue(/#\/i\//);
  if (!approval) {
    const asking = await field.inputValue();
    await host.details.getByRole('checkbox').uncheck();
    await expect(field).not.toHaveValue(asking);
    await expect(field).toHaveValue(/#\/i\//);
  }
  return field.inputValue();
}
