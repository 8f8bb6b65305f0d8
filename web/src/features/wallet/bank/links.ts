import { m } from '$messages/messages';
import { errorCode } from '../../../state/errors';
import { moneyError } from '../../../state/money-errors';
import type { LinkAssetView } from '../../../state/links.svelte';
import type { NodeOwedView } from '../../../wire/NodeOwedView';
import type { AmountChoice } from '../AmountField.svelte';
import { field, noFormula } from '../statement';

/** Decimals, as they are written: a sum has as many as its asset. */
export function scaleOf(sum: string): number {
  return sum.split('.')[1]?.length ?? 0;
}

/** An asset of a link, as a field for amounts takes it; `most`: what can be settled of it. */
export function choiceOf({ code, limit, owed }: NodeOwedView, most = true): AmountChoice {
  const asset = { id: code, issuer: '', code, scale: scaleOf(limit) };
  return { asset, title: code, available: most ? owed.replace('.', '') : null };
}

/** For `Task.run`: what stands against a settlement. */
export function settleError(error: unknown): string | null {
  switch (errorCode(error)) {
    case 'link_limit':
      return m.settle_above();
    case 'rate_changed':
      return m.settle_no_rate();
    case 'already_decided':
      return m.settle_decided();
    default:
      return moneyError(error);
  }
}

const KINDS: Readonly<Record<string, () => string>> = {
  payment: m.link_payment,
  exchange: m.link_exchange,
  refund: m.refund,
  netting: m.settle_netting,
  settlement: m.settle_title,
  correction: m.link_correction,
};

export function kindText(kind: string): string {
  return KINDS[kind]?.() ?? kind;
}

const HEAD = ['asset', 'issuer', 'time', 'kind', 'id', 'more', 'less', 'owed', 'text'];

/** RFC 4180. Times are UTC, amounts have a dot. Where lines are missing there are sums. */
export function linkCsv(assets: readonly LinkAssetView[]): string {
  const rows = assets.flatMap(({ code, issuer, opening, closing, sums, lines, whole }) => [
    [code, issuer, '', 'opening', '', '', '', opening, ''],
    ...lines.map((line) => [code, issuer, new Date(line.time_ms).toISOString(), line.kind, line.id, line.more ? line.amount : '', line.more ? '' : line.amount, line.owed, noFormula(line.text)]),
    ...(whole ? [] : sums.map(([kind, count, more, less]) => [code, issuer, '', kind, '', more, less, '', String(count)])),
    [code, issuer, '', 'closing', '', '', '', closing, ''],
  ]);
  return [HEAD, ...rows].map((row) => `${row.map(field).join(',')}\r\n`).join('');
}
