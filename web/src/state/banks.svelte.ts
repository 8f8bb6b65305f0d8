import type { CallOf } from '../engine/calls';
import type { BankAccountView } from '../wire/BankAccountView';
import type { BankLinesView } from '../wire/BankLinesView';
import type { ImportedView } from '../wire/ImportedView';
import type { NodeLinkView } from '../wire/NodeLinkView';
import type { TopUpView } from '../wire/TopUpView';
import type { WithdrawalsView } from '../wire/WithdrawalsView';
import { engine } from './engine';
import { errorCode } from './errors';
import { purse } from './purse.svelte';

/** Something that the node is asked for when a page is opened. What was said is kept when it cannot be asked again. */
export class Asked<T> {
  value = $state.raw<T | null>(null);
  /** Code of what went wrong when it was asked for last. */
  failed = $state<string | null>(null);
  busy = $state(false);
  /** Counts what was asked: an answer that was overtaken is thrown away. */
  #asked = 0;

  constructor(readonly ask: () => Promise<T>) {
    purse.forget.add(() => {
      this.#asked += 1;
      this.value = this.failed = null;
      this.busy = false;
    });
  }

  async load(): Promise<void> {
    const asked = (this.#asked += 1);
    this.busy = true;
    try {
      const value = await this.ask();
      if (asked === this.#asked) [this.value, this.failed] = [value, null];
    } catch (error) {
      if (asked === this.#asked) this.failed = errorCode(error) ?? 'internal';
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  }
}

/** Money that comes in over a bank and goes out over one; and, for the owner, what there is to do about it. */
class Banks {
  readonly ways = new Asked<TopUpView[]>(() => engine().call({ call: 'top_ups' }));
  readonly withdrawals = new Asked<WithdrawalsView>(() => engine().call({ call: 'withdrawals' }));
  readonly accounts = new Asked<BankAccountView[]>(() => engine().call({ call: 'bank_accounts' }));
  readonly lines = new Asked<BankLinesView>(() => engine().call({ call: 'bank_lines', id: null }));
  readonly due = new Asked<WithdrawalsView>(() => engine().call({ call: 'withdrawals_waiting', id: null }));
  readonly links = new Asked<NodeLinkView[]>(() => engine().call({ call: 'node_links' }));

  /** Whether money can be paid in and out over a bank here. */
  get open(): boolean {
    return (this.ways.value?.length ?? 0) > 0;
  }

  /** All that the owner sees of the bank. */
  async reconcile(): Promise<void> {
    await Promise.all([this.accounts.load(), this.lines.load(), this.due.load()]);
  }

  async withdraw(wish: Omit<CallOf<'withdraw'>, 'call'>): Promise<void> {
    await engine().call({ call: 'withdraw', ...wish });
    await this.withdrawals.load();
  }

  /** Takes back what nobody is about to pay. */
  async takeBack(id: string): Promise<void> {
    try {
      await engine().call({ call: 'take_back_withdrawal', id });
    } finally {
      await this.withdrawals.load();
    }
  }

  async setAccount(wish: Omit<CallOf<'set_bank_account'>, 'call'>): Promise<void> {
    await engine().call({ call: 'set_bank_account', ...wish });
    await this.accounts.load();
  }

  /** Takes a bank's file. */
  async import(file: Uint8Array): Promise<ImportedView> {
    const done = await engine().call({ call: 'import_bank', text: base64url(file) });
    await this.reconcile();
    return done;
  }

  async decideLine(wish: Omit<CallOf<'decide_line'>, 'call'>): Promise<void> {
    await engine().call({ call: 'decide_line', ...wish });
    await this.reconcile();
  }

  /** The owner is about to pay it: it is not taken back meanwhile. */
  async beginWithdrawal(id: string): Promise<void> {
    try {
      await engine().call({ call: 'begin_withdrawal', id });
    } finally {
      await this.due.load();
    }
  }

  async decideWithdrawal(id: string, accept: boolean): Promise<void> {
    await engine().call({ call: 'decide_withdrawal', id, accept });
    await this.reconcile();
  }
}

/** In pieces: a call with a million arguments is none. */
function base64url(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

export const banks = new Banks();
