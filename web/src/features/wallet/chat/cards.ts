/** What a card in a chat is worth: it says what its sender meant, and the node says what is true. */
import { m } from '$messages/messages';
import type { CardBody } from '../../../state/cards';
import type { Looked } from '../../../state/wallet.svelte';
import type { ChatView } from '../../../wire/ChatView';
import type { ClaimView } from '../../../wire/ClaimView';
import type { MessageView } from '../../../wire/MessageView';
import type { PacketView } from '../../../wire/PacketView';
import type { TransferView } from '../../../wire/TransferView';

export type Body<K extends CardBody['kind']> = Extract<CardBody, { kind: K }>;

/**
 * How a transfer's card stands to what the node says: `checking` and `unchecked` (no answer), `unknown` (the node has none that
 * concerns oneself), `people` (it is between others than the chat shows), `differs` (another amount or asset), else as it is.
 */
export type Standing = 'checking' | 'unchecked' | 'unknown' | 'people' | 'differs' | 'held' | 'done' | 'returned' | 'expired';

export const FALSE: readonly Standing[] = ['unknown', 'people', 'differs'];

export function standing(body: Body<'transfer' | 'paid'>, message: Pick<MessageView, 'sender'>, chat: Pick<ChatView, 'user'>, me: string | undefined, { value, error }: Looked<TransferView>): Standing {
  if (!value) return error === null ? 'checking' : error === 'not_found' ? 'unknown' : 'unchecked';
  const { payer, payee, exchange } = value;
  // Who sends the card is who pays; in a direct chat the other one is paid.
  const other = message.sender === me ? chat.user : me;
  if (payer.user !== message.sender || (other !== null && payee.user !== other)) return 'people';
  // Between two servers one may pay one thing, and the other get another: the card says what was paid.
  const isSaid = (sum: { amount: string; asset: { id: string } }): boolean => sum.amount === body.amount && sum.asset.id === body.asset.id;
  if (!isSaid(value) && !(exchange && isSaid(exchange))) return 'differs';
  return value.state === 'held' || value.state === 'returned' || value.state === 'expired' ? value.state : 'done';
}

/** How it stands, in words. `name`: of the payee. */
export function standingText(state: Standing, mine: boolean, name: string): string {
  switch (state) {
    case 'checking':
      return m.money_checking();
    case 'unchecked':
      return m.money_unchecked();
    case 'unknown':
      return m.money_unknown();
    case 'people':
    case 'differs':
      return m.money_differs();
    case 'held':
      return mine ? m.money_held_mine({ name }) : m.money_held_theirs();
    case 'done':
      return mine ? m.money_done_mine({ name }) : m.money_done_theirs();
    case 'returned':
      return m.money_returned();
    case 'expired':
      return m.money_expired();
  }
}

/** Whether anything of a transfer went back since, and all of it. */
export function refunded(view: TransferView | null): 'none' | 'part' | 'all' {
  if (!view || view.refunded === '0') return 'none';
  return BigInt(view.refunded) >= BigInt(view.amount) ? 'all' : 'part';
}

/** As long as a message waits to be sent, the engine knows no card of it: there is nothing to ask yet. */
export function isPlaced({ delivery }: Pick<MessageView, 'delivery'>): boolean {
  return delivery !== 'queued' && delivery !== 'sending' && delivery !== 'failed';
}

export const NOT_ASKED = { value: null, error: null };

/** How a red packet looks: `sealed` for whoever has not opened it and may; `coming` as long as one's share is on its way, `back` where it did not reach one. */
export type PacketLook = 'checking' | 'unchecked' | 'unknown' | 'sealed' | 'opened' | 'coming' | 'back' | 'empty' | 'expired' | 'others';

export function packetLook({ value, error }: Looked<PacketView>, me: string | undefined): PacketLook {
  if (!value) return error === null ? 'checking' : error === 'not_found' || error === 'forbidden' ? 'unknown' : 'unchecked';
  if (value.mine !== null) return 'opened';
  if (value.coming) return 'coming';
  if (value.claims.some((claim) => claim.returned && claim.person.user === me)) return 'back';
  if (value.only && value.only.user !== me) return 'others';
  return value.state === 'empty' ? 'empty' : value.state === 'expired' ? 'expired' : 'sealed';
}

/** What was taken out of a packet, and what went back when its time was over or it could not be paid, in minor units. */
export function sums(view: PacketView): { taken: bigint; returned: bigint } {
  const sum = (claims: ClaimView[]) => claims.reduce((all, claim) => all + BigInt(claim.amount), 0n);
  const taken = sum(view.claims.filter((claim) => !claim.returned));
  const over = view.state === 'expired' ? BigInt(view.total) : sum(view.claims);
  return { taken, returned: over - taken };
}

/** Covers are drawn here; of one of a later version the first stands in its place. */
export const COVERS = 4;

export function coverOf(cover: number): number {
  return Number.isInteger(cover) && cover >= 0 && cover < COVERS ? cover : 0;
}
