import { m } from '$messages/messages';
import { i18n } from '../../../state/i18n.svelte';
import { formatAmount } from '../../../state/money';
import { moneyError } from '../../../state/money-errors';
import { errorCode } from '../../../state/errors';
import type { FloatView } from '../../../wire/FloatView';
import type { ProposalView } from '../../../wire/ProposalView';

/** What is proposed, in one sentence. */
export function proposalText({ kind, asset, amount, person, file }: ProposalView): string {
  const sum = asset && amount !== null ? formatAmount(amount, asset, i18n.region) : '';
  const name = person?.name ?? '';
  switch (kind) {
    case 'issue':
      return m.proposal_issue({ amount: sum, name });
    case 'settle':
      return m.proposal_settle({ amount: sum, name });
    case 'float':
      return m.proposal_float({ amount: sum, name });
    case 'appoint':
      return m.proposal_appoint({ name });
    case 'dismiss':
      return m.proposal_dismiss({ name });
    case 'threshold':
      return amount === '0' ? m.proposal_threshold_off({ code: asset?.code ?? '' }) : m.proposal_threshold({ amount: sum });
    case 'file':
      return m.proposal_file({ amount: sum, count: file?.[1] ?? 0, account: file?.[0] ?? '' });
    default:
      return kind;
  }
}

export function proposalState({ state, by }: ProposalView): string {
  const name = by?.name ?? '';
  const texts: Record<string, () => string> = {
    waiting: m.proposal_waiting,
    approved: () => m.proposal_approved({ name }),
    declined: () => m.proposal_declined({ name }),
    withdrawn: m.proposal_withdrawn,
    expired: m.proposal_expired,
  };
  return texts[state]?.() ?? state;
}

/** Where an agent stands: what is owed, either way, and the turnover of the day. */
export function floatText(float: FloatView): string {
  const sum = (minor: string): string => formatAmount(minor, float.agent.asset, i18n.region);
  const stands = float.held !== '0' ? m.float_held({ amount: sum(float.held) }) : m.float_owed({ amount: sum(float.owed), limit: sum(float.limit) });
  return [stands, m.float_today({ into: sum(float.today_in), out: sum(float.today_out) }), float.agent.frozen ? m.float_stopped() : ''].filter(Boolean).join(' · ');
}

/** What an agent's code says: who gives out cash, and in what. */
export function cashCode(user: string, asset: string): string {
  return `weft:cash/${user}?asset=${asset}`;
}

/** Reads it; none: it is another code. Nothing in it is signed: the node knows who is an agent. */
export function readCashCode(text: string): { user: string; asset: string } | null {
  const found = /^weft:cash\/([a-z0-9][a-z0-9._-]*@[a-z0-9.:-]{1,255})\?asset=([0-9a-f]{32})$/.exec(text.trim());
  return found?.[1] && found[2] ? { user: found[1], asset: found[2] } : null;
}

/** What cash calls fail for. */
export function cashError(error: unknown): string | null {
  return errorCode(error) === 'not_found' ? m.cash_nobody() : moneyError(error);
}
