/** Fees as people read them, and what they come to before the node is asked. */
import { m } from '$messages/messages';
import type { Charged, Fee, FeeKind } from '../../state/fees.svelte';
import { formatAmount, type Unit } from '../../state/money';
import { session } from '../../state/session.svelte';
import { wallet } from '../../state/wallet.svelte';
import { nodeOf } from '../../ui/address';

const WHOLE = 10_000n;

/** What is due for an amount: the share rounded half up, within the bounds, and never more than the amount. As the node reckons it. */
export function feeDue(fee: Fee, amount: bigint): bigint {
  const share = (amount * BigInt(fee.points) + WHOLE / 2n) / WHOLE;
  const [least, most] = [BigInt(fee.least), BigInt(fee.most)];
  let due = BigInt(fee.fixed) + share;
  if (due < least) due = least;
  if (most > 0n && due > most) due = most;
  return due < amount ? due : amount;
}

/** What the node takes for payments of a kind, as far as is known; none: nothing. */
export function feeOf(asset: string, kind: FeeKind): Fee | undefined {
  const found = wallet.assets.find((one) => one.asset.id === asset)?.fees?.find(([name]) => name === kind);
  if (!found) return undefined;
  const [, fixed = '0', points = '0', least = '0', most = '0'] = found;
  return { fixed, points, least, most };
}

/** Whether something may be due, as far as is known. */
export function isCharged({ asset, kind }: Charged): boolean {
  return kinds(kind).some((one) => feeOf(asset, one));
}

/** What is due beside so much, as far as is known. */
export function feeFor({ asset, kind }: Charged, amount: bigint | null): bigint {
  if (amount === null || amount <= 0n) return 0n;
  const due = kinds(kind).map((one) => feeOf(asset, one)).map((fee) => (fee ? feeDue(fee, amount) : 0n));
  return due.reduce((most, one) => (one > most ? one : most), 0n);
}

/** Where a code will be read, nobody knows as yet: the most of both counts. */
function kinds(kind: Charged['kind']): FeeKind[] {
  return kind === 'code' ? ['shop', 'remote'] : [kind];
}

/** Whether so much, with what is due beside it, is more than there is. */
export function isBeyond(fee: Charged, amount: bigint | null, available: string | null | undefined): boolean {
  return amount !== null && typeof available === 'string' && amount + feeFor(fee, amount) > BigInt(available);
}

/** Of which kind a payment to somebody is. */
export function kindTo(user: string): FeeKind {
  return nodeOf(user) === nodeOf(session.me?.user ?? '') ? 'person' : 'remote';
}

function percent(points: string, tag: string): string {
  return new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 2 }).format(Number(points) / Number(WHOLE));
}

/** `0.10 € + 1.5 %, at least 0.20 €`. */
export function feeText(fee: Fee | undefined, asset: Unit, tag: string): string {
  if (!fee) return m.fee_none();
  const sum = (minor: string): string => formatAmount(minor, asset, tag);
  const parts = [fee.fixed === '0' ? '' : sum(fee.fixed), fee.points === '0' ? '' : percent(fee.points, tag)].filter(Boolean);
  const bounds = [fee.least === '0' ? '' : m.fee_at_least({ amount: sum(fee.least) }), fee.most === '0' ? '' : m.fee_at_most({ amount: sum(fee.most) })];
  return [parts.join(' + '), ...bounds].filter(Boolean).join(', ');
}

export function kindTitle(kind: FeeKind): string {
  return { person: m.fee_person, shop: m.fee_shop, remote: m.fee_remote, out: m.fee_out }[kind]();
}
