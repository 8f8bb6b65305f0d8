import { m } from '$messages/messages';
import { editAmount, type AmountError } from '../../state/money';

/** What is wrong with an amount that was typed, and how it is written. */
export function amountError(error: AmountError, asset: { code: string; scale: number }, locale: string): string {
  switch (error) {
    case 'empty':
      return m.amount_error_empty();
    case 'format':
      return m.amount_error_format({ example: editAmount(123_450n * 10n ** BigInt(asset.scale) / 100n, asset.scale, locale) });
    case 'decimals':
      return asset.scale === 0 ? m.amount_error_decimals_none({ code: asset.code }) : m.amount_error_decimals({ code: asset.code, count: asset.scale });
    case 'too_large':
      return m.amount_error_too_large();
    case 'zero':
      return m.amount_error_zero();
    case 'negative':
      return m.amount_error_negative();
  }
}
