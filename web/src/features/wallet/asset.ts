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
