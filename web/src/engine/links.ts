/** What is between this server and another one, as the screens show it. */

/** A settlement, or a netting. */
export interface SettlementView {
  id: string;
  /** This operator has proposed it; else the other has, and this one decides. */
  ours: boolean;
  /** `EUR` */
  code: string;
  /** How much less its issuer owes: `12.50`. */
  amount: string;
  /** What it is set off against: `13.08 USD`. */
  against: string | null;
  /** What was said to it. */
  note: string;
  /** `waiting`, `done`, `rejected`. */
  state: string;
  /** Why it did not come about, in English. */
  why: string | null;
  time_ms: number;
  /** Until when it can be decided. */
  until_ms: number;
}

/** A line of a statement. */
export interface LinkLineView {
  time_ms: number;
  /** `payment`, `exchange`, `refund`, `netting`, `settlement`, `correction`. */
  kind: string;
  /** The payment or settlement. */
  id: string;
  /** More is owed by it; else less. */
  more: boolean;
  amount: string;
  /** What is owed after it. */
  owed: string;
  /** Who paid whom, or what an operator has said to it. */
  text: string;
}

/** An asset of a statement. */
export interface LinkAssetView {
  code: string;
  /** Who issues it, and so owes. */
  issuer: string;
  opening: string;
  closing: string;
  /** Kind, how many, more, less. */
  sums: [string, number, string, string][];
  /** The oldest first; empty where they are too many. */
  lines: LinkLineView[];
  /** Whether the lines are there. */
  whole: boolean;
}
