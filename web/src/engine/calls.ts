import type { Call } from '../wire/Call';
import type { CallError } from '../wire/CallError';
import type { Event } from '../wire/Event';
import type { Reply } from '../wire/Reply';

export type CallName = Call['call'];
export type CallOf<N extends CallName> = Extract<Call, { call: N }>;

/** Which reply answers which call; the doc comments of the engine's `Call` say the same. */
interface Answers {
  node: 'node';
  me: 'me';
  sign_up: 'me';
  phrase: 'phrase';
  confirm_phrase: 'done';
  sign_in: 'me';
  recover: 'me';
  change_password: 'done';
  sign_out: 'done';
  set_display_name: 'me';
  devices: 'devices';
  name_device: 'done';
  revoke_device: 'done';
  create_link: 'link';
  read_link: 'link_preview';
  add_contact: 'contact';
  accept_contact: 'contact';
  decline_contact: 'done';
  block_contact: 'done';
  remove_contact: 'done';
  contacts: 'contacts';
  safety_number: 'safety';
  verify_by_code: 'safety';
  set_verified: 'safety';
  chats: 'chats';
  messages: 'messages';
  send_text: 'sent';
  retry: 'done';
  discard: 'done';
  mark_read: 'done';
  set_draft: 'done';
  typing: 'done';
  open_chat: 'chat';
  create_group: 'chat';
  group: 'group';
  add_members: 'done';
  remove_members: 'done';
  set_role: 'done';
  rename_group: 'done';
  leave_group: 'done';
  enter_anew: 'done';
  group_link: 'group_link';
  end_group_links: 'done';
  join_group: 'joined';
  answer_join: 'done';
  peers: 'peers';
  judge_peer: 'done';
  wallet: 'wallet';
  set_pin: 'done';
  pay: 'transfer';
  transfer: 'transfer';
  answer_transfer: 'transfer';
  wallet_history: 'history';
  send_packet: 'done';
  packet: 'packet';
  open_packet: 'packet';
  ask_money: 'sent';
  request: 'request';
  define_asset: 'done';
  issue: 'done';
  freeze_account: 'done';
  shops: 'shops';
  open_shop: 'shop';
  change_shop: 'shop';
  set_staff: 'shop';
  sell: 'sale';
  sale: 'sale';
  cancel_sale: 'sale';
  sales: 'sales';
  shop_sign: 'sign';
  read_code: 'scanned';
  pay_shop: 'transfer';
  show_code: 'pay_code';
  code_state: 'code_state';
  charge: 'sale';
  refund_sale: 'sale';
  charges: 'charges';
  charge_again: 'sale';
  join_shop: 'shop';
  receipt: 'receipt';
  node_key: 'node_key';
  accept_node_key: 'node_key';
  pay_out: 'done';
  guard: 'guard';
  set_threshold: 'done';
  change_approver: 'done';
  withdraw_proposal: 'done';
  decide_proposal: 'done';
  agents: 'agents';
  agent_desk: 'agents';
  cash_in: 'done';
  cash_out: 'done';
  set_agent: 'done';
  settle_agent: 'done';
  fee: 'fee';
  set_fee: 'done';
  fees_earned: 'fees_earned';
  take_fees: 'done';
  top_ups: 'top_ups';
  withdraw: 'done';
  withdrawals: 'withdrawals';
  take_back_withdrawal: 'done';
  bank_accounts: 'bank_accounts';
  set_bank_account: 'done';
  import_bank: 'imported';
  bank_lines: 'bank_lines';
  decide_line: 'done';
  withdrawals_waiting: 'withdrawals';
  begin_withdrawal: 'done';
  decide_withdrawal: 'done';
  node_links: 'links';
  invoices: 'invoices';
  invoice: 'invoice';
  send_invoice: 'invoice';
  tell_invoice: 'invoice';
  cancel_invoice: 'invoice';
  pay_invoice: 'invoice';
  refund_invoice: 'invoice';
  escrows: 'escrows';
  escrow: 'escrow';
  fund_escrow: 'escrow';
  settle_escrow: 'escrow';
  refund_escrow: 'escrow';
  accept_escrow: 'escrow';
  mandates: 'mandates';
  mandate: 'mandate';
  give_mandate: 'mandate';
  collect_mandate: 'mandate';
  end_mandate: 'mandate';
  books: 'books';
  books_own: 'books_own';
  books_line: 'books_line';
  settlements: 'table';
  settle: 'done';
  decide_settlement: 'done';
  link_terms: 'table';
  link_statement: 'table';
  passkey: 'passkey';
  set_passkey: 'done';
  forget_passkey: 'done';
  wake: 'done';
}

type ValueOfReply<R extends Reply['reply']> = Extract<Reply, { reply: R }> extends { value: infer V } ? V : undefined;
export type ValueOf<N extends CallName> = ValueOfReply<Answers[N]>;

/** How the engine's host is: `ready` names the run, so that a restart can be told from a first start. */
export type HostState =
  | { state: 'starting' }
  | { state: 'ready'; run: string }
  | { state: 'superseded' }
  | { state: 'failed'; code: HostFailure; message: string };

/**
 * Why there is no engine: `storage` (the browser does not let us keep anything, or the disk is full), `damaged` (what was
 * kept cannot be opened), `broken` (a fault of the engine), `unsupported` (the browser lacks what we need), `insecure` (the
 * address is one of plain http, where a browser keeps its cryptography from the page).
 */
export type HostFailure = 'storage' | 'damaged' | 'broken' | 'unsupported' | 'insecure';

/** What a tab sees of the engine. */
export interface Engine {
  /** Asks; rejects with {@link CallFailed} only. */
  call<N extends CallName>(call: CallOf<N>): Promise<ValueOf<N>>;
  /** Hears what changed; returns how to stop. */
  listen(heard: (event: Event) => void): () => void;
  /** Hears how the host is, at once and on every change. */
  watch(heard: (state: HostState) => void): () => void;
  /** Throws away everything that this browser keeps. Only for a state that cannot be opened any more. */
  erase(): Promise<void>;
}

/** A call that was not done; `code` is what the interface translates. */
export class CallFailed extends Error {
  readonly code: string;
  readonly field: string | null;
  readonly retryAfterMs: number | null;

  constructor(error: CallError) {
    super(error.message);
    this.name = 'CallFailed';
    this.code = error.code;
    this.field = error.field;
    this.retryAfterMs = error.retry_after_ms;
  }

  /** The host went away while the call was under way; whether it was done is unknown. */
  static restarted(): CallFailed {
    return new CallFailed({ code: 'engine_restarted', message: 'The engine was restarted.', field: null, retry_after_ms: null });
  }
}
