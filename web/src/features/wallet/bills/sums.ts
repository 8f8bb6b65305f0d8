import { parseAmount } from '../../../state/money';

/** Lines of one invoice (wire/limits.rs). */
export const LINES_MAX = 32;
/** So many characters of any script have no more bytes than a line, and a note, may have. */
export const TEXT_MAX = 42;
export const NOTE_MAX = 170;

/** A line as it is typed. */
export interface Typed {
  text: string;
  quantity: string;
  price: string;
  /** In per cent; empty: none. */
  tax: string;
}

/** The same as it is sent: thousandths, minor units, parts per mille. */
export interface Line {
  text: string;
  quantity: bigint;
  price: bigint;
  tax: bigint | null;
}

export interface Wrong {
  text?: boolean;
  quantity?: boolean;
  price?: boolean;
  tax?: boolean;
}

const QUANTITY_MAX = 1_000_000_000n;

/** A number of this many decimals; zero is one as well. `null`: it is none. */
function number(text: string, scale: number, locale: string, code?: string): bigint | null {
  const parsed = parseAmount(text, scale, locale, code);
  return parsed.error === 'zero' ? 0n : (parsed.minor ?? null);
}

/** Reads a line; or what of it is wrong. */
export function readLine(typed: Typed, scale: number, locale: string, code?: string): { line: Line; wrong?: never } | { wrong: Wrong; line?: never } {
  const text = typed.text.trim();
  const quantity = number(typed.quantity, 3, locale);
  const price = number(typed.price, scale, locale, code);
  const tax = typed.tax.trim() ? number(typed.tax.replace('%', ''), 1, locale) : null;
  const wrong: Wrong = {};
  if (!text) wrong.text = true;
  if (quantity === null || quantity === 0n || quantity > QUANTITY_MAX) wrong.quantity = true;
  if (price === null) wrong.price = true;
  if (typed.tax.trim() && (tax === null || tax > 1_000n)) wrong.tax = true;
  if (Object.keys(wrong).length > 0 || quantity === null || price === null) return { wrong };
  return { line: { text, quantity, price, tax } };
}

/** As the node reckons it (wire/wallet/invoices.rs): halves are rounded up. */
export function netOf({ quantity, price }: Pick<Line, 'quantity' | 'price'>): bigint {
  return (quantity * price + 500n) / 1_000n;
}

export interface Sums {
  net: bigint;
  /** By rate in parts per mille, the lowest first. */
  taxes: { rate: bigint; tax: bigint }[];
  total: bigint;
}

/** What lines come to: tax is reckoned once for each rate, on the sum of its lines. */
export function sumsOf(lines: readonly Line[]): Sums {
  const by = new Map<bigint, bigint>();
  let net = 0n;
  for (const line of lines) {
    const sum = netOf(line);
    net += sum;
    if (line.tax !== null) by.set(line.tax, (by.get(line.tax) ?? 0n) + sum);
  }
  const taxes = [...by].sort(([one], [other]) => (one < other ? -1 : 1)).map(([rate, of]) => ({ rate, tax: (of * rate + 500n) / 1_000n }));
  return { net, taxes, total: taxes.reduce((sum, { tax }) => sum + tax, net) };
}
