import { m } from '$messages/messages';
import { contacts } from '../../state/contacts.svelte';
import { i18n } from '../../state/i18n.svelte';
import { formatAmount } from '../../state/money';
import { wallet } from '../../state/wallet.svelte';
import type { PendingView } from '../../wire/PendingView';

/** That a payment is not decided yet, and that nobody has to pay it again. */
export function pendingText({ asset, amount, user }: PendingView): string {
  const of = wallet.assets.find((one) => one.asset.id === asset)?.asset;
  const sum = of ? formatAmount(amount, of, i18n.region) : amount;
  return user ? m.account_unsure_to({ amount: sum, name: contacts.get(user)?.display_name ?? user }) : m.account_unsure({ amount: sum });
}
