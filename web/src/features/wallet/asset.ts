import { fold } from '../../state/fold';
import { session } from '../../state/session.svelte';
import type { AssetView } from '../../wire/AssetView';
import { nodeOf, shortNode } from '../../ui/address';

/** As the node takes it (wire/wallet/assets.rs): 2 to 12 capital letters and digits, a letter first. */
export const CODE = /^[A-Z][A-Z0-9]{1,11}$/;
/** Decimals at most (wire/wallet/assets.rs, SCALE_MAX). */
const SCALE_MAX = 12;
/** So many characters of any script have no more bytes than a title may have (wire/limits.rs, ASSET_TITLE_BYTES_MAX). */
export const TITLE_MAX = 20;

/** Decimals as they were typed. */
export function scaleOf(text: string | number | null): number | null {
  const typed = String(text ?? '').trim();
  return /^\d{1,2}$/.test(typed) && Number(typed) <= SCALE_MAX ? Number(typed) : null;
}

/** What may still be brought into the world, in minor units; none: there is no limit. What a lower limit cannot undo is not counted as less than nothing. */
export function issuable({ issue_max, issued }: { issue_max: string; issued: string }): bigint | null {
  if (issue_max === '0') return null;
  const left = BigInt(issue_max) - BigInt(issued);
  return left > 0n ? left : 0n;
}

/** The address of somebody of this node: `alice`, or in full. None: it is somebody elsewhere, or nobody. */
export function memberAddress(text: string, node: string): string | null {
  const typed = text.trim().toLowerCase();
  const [name = '', ...rest] = typed.split('@');
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(name) || rest.length > 1) return null;
  return rest.length === 0 || rest[0] === node.toLowerCase() ? `${name}@${node}` : null;
}

/** A currency, and what people read of it. */
export interface Named {
  asset: AssetView;
  title: string;
}

/** The server whose money it is; none: one's own one, or nobody's. */
export function farIssuer({ issuer = '' }: { issuer?: string }): string | null {
  const me = session.me?.user;
  return issuer === '' || me === undefined || issuer === nodeOf(me) ? null : issuer;
}

/** `Euro (EUR)`; where this and the code do not tell it from another that is shown with it, `EUR · garden.example`. */
export function longName(one: Named, among: readonly Named[]): string {
  const { code, issuer } = one.asset;
  const twins = twinsOf(one, among);
  const title = alike(one.title);
  const bare = title === '' || title === alike(code);
  if (twins.length > 0 && (bare || twins.some((twin) => alike(twin.title) === title))) return `${code} · ${shortNode(issuer)}`;
  return `${one.title} (${code})`;
}

/** `EUR`; where another that is shown with it has this code too, the name that tells them apart. */
export function briefName(one: Named, among: readonly Named[]): string {
  return twinsOf(one, among).length > 0 ? longName(one, among) : one.asset.code;
}

function twinsOf({ asset }: Named, among: readonly Named[]): Named[] {
  return among.filter((other) => other.asset.id !== asset.id && other.asset.code === asset.code);
}

/** As it looks at a glance: what another server calls its money is its own choice. */
function alike(title: string): string {
  return fold(title).replace(/\s/gu, '');
}
