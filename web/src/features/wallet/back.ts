/** Money that did not get to another server's people: why it went back, where the word "given back" would be wrong. */
import { m } from '$messages/messages';
import { errorCode } from '../../state/errors';
import { moneyError } from '../../state/money-errors';
import type { TransferView } from '../../wire/TransferView';

/** Why a transfer went back, in words for both; none where nobody but its payee has decided it. */
export function backText(view: TransferView | null): string | null {
  if (view?.state !== 'returned') return null;
  if (view.rejection === 'rate') return m.money_back_rate();
  return view.rejection === 'guarded' ? m.money_back_guarded() : null;
}

/** For `Task.run`: what whoever has pressed Accept reads. With another rate the money has gone back by then. */
export function acceptError(error: unknown): string | null {
  return errorCode(error) === 'rate_changed' ? m.money_back_rate() : moneyError(error);
}
