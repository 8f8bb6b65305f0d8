import { m } from '$messages/messages';

/** Why a link stands still: the node says it in English (ledger/link/error.rs, Freeze), and whatever is not known by heart stands as it said it. */
const REASONS: readonly (readonly [said: RegExp, text: () => string])[] = [
  [/^the operator has frozen it$/, m.frozen_operator],
  [/^the other node has frozen it$/, m.frozen_peer],
  [/^the other node knows \d+ messages where there are \d+: this node lost its latest state$/, m.frozen_behind],
  [/^the other node has another message \d+ of this one$/, m.frozen_diverged],
];

/** `Payments are stopped: …` */
export function frozenText(why: string): string {
  const known = REASONS.find(([said]) => said.test(why));
  return `${m.links_frozen()} ${known ? known[1]() : m.frozen_broken({ why })}`;
}
