import { CallFailed, type CallOf } from '../engine/calls';
import type { AgentView } from '../wire/AgentView';
import type { AgentsView } from '../wire/AgentsView';
import type { GuardView } from '../wire/GuardView';
import type { ProposalView } from '../wire/ProposalView';
import { Asked } from './banks.svelte';
import { engine } from './engine';
import { errorCode } from './errors';

/** What needs a second person, and cash agents. */
class Guards {
  readonly guard = new Asked<GuardView>(() => engine().call({ call: 'guard' }));
  readonly agents = new Asked<AgentsView>(() => engine().call({ call: 'agents' }));
  /** All floats, for the owner. */
  readonly desk = new Asked<AgentsView>(() => engine().call({ call: 'agent_desk' }));

  /** What waits for oneself. */
  get mine(): ProposalView[] {
    return this.guard.value?.waiting.filter((one) => one.mine) ?? [];
  }
  get approvers(): string {
    return this.guard.value?.approvers.map((one) => one.name).join(', ') ?? '';
  }

  /** Does something that may need a second person. True: it waits for one now. */
  async #waits(work: Promise<unknown>, ...then: Asked<unknown>[]): Promise<boolean> {
    const waits = await work.then(
      () => false,
      (error: unknown) => {
        if (errorCode(error) !== 'needs_approval') throw error;
        return true;
      },
    );
    await Promise.all([this.guard, ...then].map((one) => one.load()));
    return waits;
  }

  setThreshold(asset: string, amount: string): Promise<boolean> {
    return this.#waits(engine().call({ call: 'set_threshold', asset, amount }));
  }
  changeApprover(user: string, on: boolean): Promise<boolean> {
    return this.#waits(engine().call({ call: 'change_approver', user, on }));
  }
  async withdraw(id: string): Promise<void> {
    await engine().call({ call: 'withdraw_proposal', id });
    await this.guard.load();
  }
  async decide({ id, print }: ProposalView, accept: boolean, pin: string): Promise<void> {
    await engine().call({ call: 'decide_proposal', id, print, accept, pin });
    await this.guard.load();
  }

  /** Somebody who gives out cash now. */
  async find(user: string, asset: string): Promise<AgentView> {
    const { agents } = await engine().call({ call: 'agents' });
    const agent = agents.find((one) => one.person.user === user && one.asset.id === asset && !one.frozen);
    if (!agent) throw new CallFailed({ code: 'cash_nobody', message: 'no cash agent', field: null, retry_after_ms: null });
    return agent;
  }

  async cashIn(wish: Omit<CallOf<'cash_in'>, 'call'>): Promise<void> {
    await engine().call({ call: 'cash_in', ...wish });
    await this.agents.load();
  }
  async cashOut(wish: Omit<CallOf<'cash_out'>, 'call'>): Promise<void> {
    await engine().call({ call: 'cash_out', ...wish });
  }
  setAgent(wish: Omit<CallOf<'set_agent'>, 'call'>): Promise<boolean> {
    return this.#waits(engine().call({ call: 'set_agent', ...wish }), this.desk);
  }
  settle(wish: Omit<CallOf<'settle_agent'>, 'call'>): Promise<boolean> {
    return this.#waits(engine().call({ call: 'settle_agent', ...wish }), this.desk);
  }
}

export const guards = new Guards();
