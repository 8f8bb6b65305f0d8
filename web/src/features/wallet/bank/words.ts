import { m } from '$messages/messages';
import { errorCode, errorField } from '../../../state/errors';
import { detailOf, moneyError } from '../../../state/money-errors';
import type { ImportedView } from '../../../wire/ImportedView';

/** The most bytes of a file that the page sends: limits.rs. */
export const FILE_MAX = 4 << 20;

/** `RF18 5390 0754 7034`: as it is printed. */
export function inFours(text: string): string {
  return /^[A-Z]{2}\d{2}[A-Z0-9]+$/.test(text) ? text.replace(/(.{4})(?=.)/g, '$1 ') : text;
}

/** An IBAN, as far as one sees without asking: its check digits fit (ISO 7064, MOD 97-10). */
export function isIban(text: string): boolean {
  const plain = text.replace(/\s/g, '').toUpperCase();
  if (!/^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$/.test(plain)) return false;
  const digits = (plain.slice(4) + plain.slice(0, 4)).replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return [...digits].reduce((rest, digit) => (rest * 10 + Number(digit)) % 97, 0) === 1;
}

/** For `Task.run`: what the node has against a file, with its line; and the other ways in which money can go wrong. */
export function bankError(error: unknown): string | null {
  if (errorCode(error) === 'bank_file') return m.error_bank_file({ why: detailOf(error) });
  if (errorCode(error) === 'needs_approval') return m.import_waits();
  if (errorField(error) === 'account') return m.bank_iban_error();
  // That there is none, the form says itself.
  if (errorField(error) === 'holder') return m.bank_swapped();
  if (errorField(error) === 'asset') return m.bank_not_currency();
  if (errorCode(error) === 'too_many') return m.withdraw_too_many();
  return moneyError(error);
}

/** What came of a file, a sentence for each kind of line that there was. */
export function importedLines(done: ImportedView): { text: string; warn: boolean }[] {
  const lines: [count: number, text: (parts: { count: number }) => string, warn?: true][] = [
    [done.credited, m.import_credited],
    [done.paid, m.import_paid],
    [done.waiting, m.import_waiting],
    [done.known, m.import_known],
    [done.left_out, m.import_left_out],
    [done.foreign, m.import_foreign],
    [done.above, m.import_above, true],
    [done.unproved, m.import_unproved, true],
  ];
  const said = lines.flatMap(([count, text, warn]) => (count > 0 ? [{ text: text({ count }), warn: warn === true }] : []));
  return said.length > 0 ? said : [{ text: m.import_nothing(), warn: false }];
}
