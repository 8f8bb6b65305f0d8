/** Codes of the small ledger. They look like real ones and are told apart like them; what signs them is no signature. */
import type { ScannedView } from '../wire/ScannedView';
import { fail, ME } from './fake';
import type { FakeMall } from './fake-shops';

const NODE = 'home.example';
export const PAY = 'weft:pay/1/';

export interface Named {
  shop: string;
  asset: string;
  till?: string | null;
  sale?: string | null;
}

/** CRC-16/CCITT-FALSE, as EMVCo has it: four capital hexadecimal digits. */
function crc(text: string): string {
  let sum = 0xffff;
  for (const byte of new TextEncoder().encode(text)) {
    sum ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) sum = ((sum << 1) ^ (sum & 0x8000 ? 0x1021 : 0)) & 0xffff;
  }
  return sum.toString(16).toUpperCase().padStart(4, '0');
}

function withCrc(text: string): string {
  return `${text}6304${crc(`${text}6304`)}`;
}

/** What stands on a counter. */
export function printed({ shop, asset, till = null }: Named): string {
  return withCrc(`000201010211weft|${shop}|${asset}|${till ?? ''}|`);
}

/** A code for one sale. `by`: who signs it. */
export function sealed({ shop, asset, sale = '' }: Named, by = NODE): string {
  const said = `000201010212weft|${shop}|${asset}||${sale}`;
  return withCrc(`${said}|${crc(`${by} ${said}`)}`);
}

export function foreign(): string {
  return withCrc('00020101021129370016A0000006770101110113006680000000053037645802TH');
}

export function payCode(id: string): string {
  return `${PAY}${NODE}/${id.slice(-22)}${crc(id)}`;
}

/** Twenty digits, the first one a nine. */
export function payDigits(id: string): string {
  return `9${(BigInt(`0x${id}`) * 123_456_789_012_345_677n % 10n ** 19n).toString().padStart(19, '0')}`;
}

/** As the engine reads what was scanned. */
export function readCode(mall: FakeMall, scanned: string): ScannedView {
  const text = scanned.trim();
  if (text.startsWith('000201')) return merchant(mall, text);
  if (text.startsWith('payto://')) return payto(mall, text);
  if (!text.startsWith('weft:pay/')) return { is: 'other' };
  if (!text.startsWith(PAY)) throw fail('code_damaged');
  if (!/\/[0-9a-f]{22}[0-9A-F]{4}$/.test(text)) throw fail('code_damaged');
  return { is: 'pay_code', text };
}

function merchant(mall: FakeMall, text: string): ScannedView {
  if (withCrc(text.slice(0, -8)) !== text) throw fail('code_damaged');
  const [head = '', address = '', asset = '', till = '', id = '', signed] = text.slice(0, -8).split('|');
  if (!head.endsWith('weft')) throw fail('code_foreign');
  if (signed !== undefined && sealed({ shop: address, asset, sale: id }) !== text) throw fail('code_forged');
  // There are no payments with other nodes here.
  if (!address.endsWith(`@${NODE}`)) throw fail('no_link');
  const shop = mall.shop(address);
  const about = { is: 'merchant' as const, shop: address, title: shop.title, open: shop.open, asset: mall.bank.asset(asset), till: till || null };
  if (signed === undefined) return { ...about, verified: false, amount: null, tip_allowed: true, bill: '', sale: null, state: null, until_ms: null, expired: false };
  const sale = mall.sales.find((one) => one.sale === id);
  if (!sale) throw fail('not_found');
  const state = mall.state(sale);
  return { ...about, verified: true, amount: sale.amount.toString(), tip_allowed: sale.tip_allowed, bill: sale.bill, sale: id, state, until_ms: sale.until_ms, expired: state === 'expired' };
}

function payto(mall: FakeMall, text: string): ScannedView {
  const url = new URL(text);
  if (url.host !== 'weft') throw fail('code_foreign');
  const user = decodeURIComponent(url.pathname.slice(1));
  if (!user.includes('@')) throw fail('code_damaged');
  const link = mall.bank.links.find((one) => user.endsWith(`@${one.node}`));
  if (!user.endsWith(`@${NODE}`) && !link) throw fail('no_link');
  if (user === ME) throw fail('bad_input');
  const [code = '', sum = ''] = (url.searchParams.get('amount') ?? '').split(':');
  const asset = mall.bank.assets().find((one) => one.asset.code === code && (!link || link.assets.includes(one.asset.id)))?.asset ?? null;
  const [whole = '0', part = ''] = sum.split('.');
  if (asset !== null && (!/^\d+(\.\d+)?$/.test(sum) || part.length > asset.scale)) throw fail('code_damaged');
  return { is: 'payto', person: mall.bank.person(user), asset, amount: asset ? BigInt(whole + part.padEnd(asset.scale, '0')).toString() : null, message: url.searchParams.get('message') ?? '' };
}
