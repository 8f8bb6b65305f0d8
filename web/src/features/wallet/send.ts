/** Whom somebody means who types a name to pay: one's own node needs not be named, and of others those whose people can be paid. */
import { wallet } from '../../state/wallet.svelte';
import { nodeOf } from '../../ui/address';
import { memberAddress } from './asset';

export type Meant = { user: string } | { elsewhere: string } | null;

/** `bob`, `bob@garden.example`. None: it is no address; `elsewhere`: a server with which no payments are exchanged. */
export function meantBy(text: string, me: string): Meant {
  const here = memberAddress(text, nodeOf(me));
  if (here !== null) return { user: here };
  const typed = text.trim();
  const node = nodeOf(typed);
  if (!typed.includes('@') || node === '') return null;
  // A name that is a key has capitals, and nobody types those.
  const linked = wallet.links.find((one) => one.node.toLowerCase() === node.toLowerCase())?.node;
  const user = memberAddress(typed, linked ?? node);
  if (user === null) return null;
  return linked === undefined ? { elsewhere: node } : { user };
}
