/** Whom money reaches: people of this server, and of those with which its operator has agreed on payments. */
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import { nodeOf } from '../../ui/address';

/** Whether somebody can be paid; in this asset, if one is named. */
export function reaches(user: string, asset?: string): boolean {
  const me = session.me?.user;
  if (me === undefined) return false;
  const node = nodeOf(user);
  if (node === nodeOf(me)) return true;
  const link = wallet.links.find((one) => one.node === node);
  return link !== undefined && (asset === undefined || link.assets.includes(asset));
}
