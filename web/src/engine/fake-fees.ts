/** Fees for the specs and the fake world: what is taken is told as the node tells it, and a payment that was not shown it is refused. */
import type { FeeView } from '../wire/FeeView';
import { fail, type FakeEngine } from './fake';
import type { FakeBank } from './fake-wallet';

/** What the node takes; `asked`: what a device was told last, by kind and amount. */
export class FakeFees {
  readonly asked: string[] = [];
  earned = 0n;
  held = 0n;

  constructor(readonly bank: FakeBank) {}

  all(asset: string): FeeView[] {
    return this.bank.assets().find((one) => one.asset.id === asset)?.fees ?? [];
  }

  set(asset: string, fee: FeeView): void {
    const fees = [...this.all(asset).filter((one) => one.kind !== fee.kind), fee].filter((one) => one.fixed !== '0' || one.points !== '0' || one.least !== '0');
    this.bank.define(this.bank.asset(asset), { fees });
  }

  due(asset: string, kind: string, amount: bigint): bigint {
    const fee = this.all(asset).find((one) => one.kind === kind);
    if (!fee) return 0n;
    const share = BigInt(fee.fixed) + (amount * BigInt(fee.points) + 5_000n) / 10_000n;
    const least = share < BigInt(fee.least) ? BigInt(fee.least) : share;
    return fee.most !== '0' && least > BigInt(fee.most) ? BigInt(fee.most) : least;
  }
}

/** A node that takes something in shops and of what goes to other servers. */
export function fakeFees(bank: FakeBank): FakeFees {
  const fees = new FakeFees(bank);
  const asset = bank.assets()[0]?.asset.id;
  if (asset === undefined) return fees;
  fees.set(asset, { kind: 'person', fixed: '10', points: '50', least: '0', most: '100' });
  fees.set(asset, { kind: 'shop', fixed: '0', points: '150', least: '5', most: '0' });
  fees.set(asset, { kind: 'remote', fixed: '25', points: '100', least: '0', most: '500' });
  [fees.earned, fees.held] = [1_240n, 35n];
  return fees;
}

/** Answers the calls about fees. */
export function answerFees(engine: FakeEngine, fees: FakeFees): FakeEngine {
  return engine
    .on('fee', ({ kind, asset, amount }) => {
      fees.asked.push(`${kind} ${amount}`);
      return fees.due(asset, kind, BigInt(amount)).toString();
    })
    .on('set_fee', ({ kind, asset, fee: [fixed, points, least, most] }) => {
      if (BigInt(points) > 10_000n) throw fail('invalid_field', 'points');
      fees.set(asset, { kind, fixed, points, least, most });
      engine.emit({ event: 'wallet' });
      return undefined;
    })
    .on('fees_earned', () => ({ earned: fees.earned.toString(), held: fees.held.toString() }))
    .on('take_fees', ({ amount }) => {
      if (BigInt(amount) > fees.earned) throw fail('insufficient_funds');
      fees.earned -= BigInt(amount);
      return undefined;
    });
}
