/** Dual control and cash agents of the small world. As strict as the node. */
import type { AgentsView } from '../wire/AgentsView';
import type { FloatView } from '../wire/FloatView';
import type { GuardView } from '../wire/GuardView';
import type { ProposalView } from '../wire/ProposalView';
import { fail, type FakeEngine, ME } from './fake';
import { type FakeBank, ordering } from './fake-wallet';

const WEEK = 7 * 24 * 60 * 60 * 1000;

interface Agent {
  user: string;
  asset: string;
  limit: bigint;
  frozen: boolean;
  in: bigint;
  out: bigint;
}

export class FakeGuard {
  approvers: string[] = [];
  readonly thresholds = new Map<string, bigint>();
  proposals: ProposalView[] = [];
  agents: Agent[] = [];
  /** Whether {@link ME} owns the server. */
  owner = true;

  constructor(readonly bank: FakeBank) {}

  propose(id: string, kind: string, part: Partial<ProposalView> = {}): ProposalView {
    const mine = !this.owner && (this.approvers.includes(ME) || (this.approvers.length === 0 && part.person?.user === ME));
    const time_ms = this.bank.now();
    const proposal = { id, kind, asset: null, person: null, amount: null, file: null, time_ms, until_ms: time_ms + WEEK, state: 'waiting', mine, by: null, print: `print ${id}`, ...part };
    this.proposals.push(proposal);
    return proposal;
  }

  /** What waits, or is done at once. */
  wait(kind: string, part: Partial<ProposalView>): never {
    const is = (one: ProposalView): boolean => one.kind === kind && one.state === 'waiting' && one.person?.user === part.person?.user && one.amount === (part.amount ?? null);
    if (!this.proposals.some(is)) this.propose(`p${this.proposals.length}`, kind, part);
    throw fail('needs_approval');
  }

  end(id: string, state: string, by: string | null = null): ProposalView {
    const known = this.proposals.find((one) => one.id === id);
    if (!known) throw fail('not_found');
    if (known.state !== 'waiting') throw fail('proposal_over');
    const ended = { ...known, state, mine: false, by: by === null ? null : this.bank.person(by) };
    this.proposals = this.proposals.map((one) => (one.id === id ? ended : one));
    return ended;
  }

  view(): GuardView {
    return {
      approvers: this.approvers.map((user) => this.bank.person(user)),
      thresholds: [...this.thresholds].map(([asset, amount]) => ({ asset, amount: amount.toString(), today: '0' })),
      waiting: this.proposals.filter(({ state }) => state === 'waiting'),
      decided: this.proposals.filter(({ state }) => state !== 'waiting').reverse(),
    };
  }

  agent(user: string, asset: string): Agent {
    const known = this.agents.find((one) => one.user === user && one.asset === asset);
    if (!known) throw fail('not_found');
    if (known.frozen) throw fail('account_frozen');
    return known;
  }

  float({ user, asset, limit, frozen, in: taken, out }: Agent): FloatView {
    const net = this.bank.balance(`float ${user}`, asset);
    const sum = (of: bigint): string => (of > 0n ? of : 0n).toString();
    const agent = { person: this.bank.person(user), asset: this.bank.asset(asset), frozen };
    return { agent, account: `float ${user} ${asset}`, limit: limit.toString(), owed: sum(-net), held: sum(net), left: sum(net + limit), today_in: taken.toString(), today_out: out.toString() };
  }

  list(mine: Agent[]): AgentsView {
    return { agents: this.agents.map((one) => this.float(one).agent), mine: mine.map((one) => this.float(one)) };
  }
}

/** Answers the calls about what needs a second person, and about cash. */
export function answerGuard(engine: FakeEngine, guard: FakeGuard): FakeEngine {
  const { bank } = guard;
  const order = ordering(engine, bank);
  const changed = (): undefined => engine.emit({ event: 'wallet' }) as undefined;
  return engine
    .on('guard', () => guard.view())
    .on('set_threshold', ({ asset, amount }) => {
      const before = guard.thresholds.get(asset) ?? 0n;
      if (guard.approvers.length === 0) throw fail('invalid_field', 'approvers');
      if (BigInt(amount) === 0n || (before > 0n && BigInt(amount) > before)) guard.wait('threshold', { asset: bank.asset(asset), amount });
      guard.thresholds.set(asset, BigInt(amount));
      return changed();
    })
    .on('change_approver', ({ user, on }) => {
      if (user === ME && guard.owner) throw fail('own_proposal');
      guard.wait(on ? 'appoint' : 'dismiss', { person: bank.person(user) });
    })
    .on('withdraw_proposal', ({ id }) => {
      guard.end(id, 'withdrawn');
      return changed();
    })
    .on('decide_proposal', ({ id, print, accept, pin }) => {
      bank.unlock(pin);
      if (guard.owner) throw fail('own_proposal');
      if (print !== `print ${id}`) throw fail('proposal_changed');
      const { kind, person } = guard.end(id, accept ? 'approved' : 'declined', ME);
      if (accept && kind === 'appoint' && person) guard.approvers.push(person.user);
      return changed();
    })
    .on('agents', () => guard.list(guard.agents.filter(({ user }) => user === ME)))
    .on('agent_desk', () => ({ ...guard.list(guard.agents), agents: [] }))
    .on('cash_in', ({ id, user, asset, amount, pin }) => {
      const agent = guard.agent(ME, asset);
      bank.unlock(pin);
      if (BigInt(amount) > BigInt(guard.float(agent).left)) throw fail('agent_limit');
      order({ id, purpose: 'cash_in', asset, from: `float ${ME}`, to: user, amount: BigInt(amount) }, pin);
      agent.in += BigInt(amount);
      return undefined;
    })
    .on('cash_out', ({ id, user, asset, amount, pin }) => {
      const agent = guard.agent(user, asset);
      order({ id, purpose: 'cash_out', asset, from: ME, to: `float ${user}`, amount: BigInt(amount) }, pin);
      agent.out += BigInt(amount);
      return undefined;
    })
    .on('set_agent', ({ user, asset, amount, frozen, on }) => {
      const known = guard.agents.find((one) => one.user === user && one.asset === asset);
      const limit = BigInt(amount);
      if (on && guard.thresholds.has(asset) && limit > (known?.limit ?? 0n)) guard.wait('float', { person: bank.person(user), asset: bank.asset(asset), amount });
      guard.agents = guard.agents.filter((one) => one !== known);
      if (on) guard.agents.push({ in: 0n, out: 0n, ...known, user, asset, limit, frozen });
      return changed();
    })
    .on('settle_agent', ({ id, user, asset, amount, sent }) => {
      const float = `float ${user}`;
      bank.move({ id, purpose: 'settlement', asset, from: sent ? float : 'node', to: sent ? 'node' : float, amount: BigInt(amount) });
      return changed();
    });
}

/** Something to look at; `?noguard`: nothing. `?approver`: one approves, and owns nothing. */
export function fakeGuard(bank: FakeBank, query: URLSearchParams): FakeGuard {
  const guard = new FakeGuard(bank);
  if (query.has('nomoney') || query.has('noguard')) return guard;
  guard.owner = !query.has('approver');
  guard.approvers = guard.owner ? ['carol@home.example', 'yuki@home.example'] : [ME, 'carol@home.example'];
  guard.thresholds.set('eur', 100_000n);
  const eur = bank.asset('eur');
  guard.propose('one', 'issue', { asset: eur, amount: '250000', person: bank.person('bob@home.example') });
  guard.propose('two', 'file', { asset: eur, amount: '1284000', file: ['DE89370400440532013000', 37] });
  guard.propose('three', 'threshold', { asset: eur, amount: '200000' });
  guard.end('three', 'declined', 'carol@home.example');
  guard.agents = [
    { user: ME, asset: 'eur', limit: 50_000n, frozen: false, in: 12_500n, out: 4_000n },
    { user: 'dmitri@home.example', asset: 'eur', limit: 20_000n, frozen: false, in: 0n, out: 1_000n },
    { user: 'bob@home.example', asset: 'eur', limit: 10_000n, frozen: true, in: 0n, out: 0n },
  ];
  bank.move({ id: 'c1', purpose: 'cash_in', asset: 'eur', from: `float ${ME}`, to: 'carol@home.example', amount: 12_500n });
  bank.move({ id: 'c2', purpose: 'cash_out', asset: 'eur', from: 'carol@home.example', to: `float ${ME}`, amount: 4_000n });
  bank.move({ id: 'c3', purpose: 'cash_out', asset: 'eur', from: 'carol@home.example', to: 'float dmitri@home.example', amount: 1_000n });
  return guard;
}
