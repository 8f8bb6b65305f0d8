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

/** An asset of terms. */
export interface TermsAssetView {
  code: string;
  /** The other server issues it. */
  theirs: boolean;
  scale: number;
  /** How much of it the other one than its issuer is willing to have: `500.00`. */
  limit: string;
}

/** A rate of terms: what is got for one of what is paid. */
export interface TermsRateView {
  give: string;
  givesTheirs: boolean;
  get: string;
  getsTheirs: boolean;
  /** A number with decimals, or a fraction. */
  rate: string;
  /** None: as long as the terms. */
  until_ms: number | null;
}

/** Terms that at least one of the operators has signed. */
export interface TermsView {
  /** `asked`, `offered`, `withdrawn`, `in_force`, `past`. */
  standing: string;
  digest: string;
  version: number;
  lifetime_ms: number;
  /** Since when they are in force here; none: it is not known. */
  time_ms: number | null;
  /** The signatures, in hex; none: that operator has not signed. */
  own: string | null;
  other: string | null;
  assets: TermsAssetView[];
  rates: TermsRateView[];
}

/** All terms with a server. */
export interface LinkTermsView {
  /** Why payments stand still, if they do, in English. */
  frozen: string | null;
  frozen_ms: number | null;
  /** This operator has signed with what they go on. */
  thawing: boolean;
  /** Offers first, then those in force, then those of before. */
  terms: TermsView[];
}

/** What follows from the books of both servers where payments stand still. */
export interface ThawView {
  digest: string;
  /** This operator has signed it. */
  agreed: boolean;
  /** So has the other: payments go on. */
  done: boolean;
  /** How much of what it would bring into the world that needs an approver: then it cannot be signed. */
  guarded: string | null;
  /** What moves, in the words of the server. */
  lines: string[];
}
