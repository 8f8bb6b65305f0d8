/** Fees for the specs and the fake world: what is taken is told as the node tells it, and a payment that was not shown it is refused. */
import type { IssuedView } from '../wire/IssuedView';
import { fail, type FakeEngine } from './fake';
import type { FakeBank } from './fake-wallet';

/** What the node takes; `asked`: what a device was told last, by kind and amount. */
export class FakeFees {
  readonly asked: string[] = [];
  earned = 0n;
  held = 0n;

  constructor(readonly bank: FakeBank) {}

  all(asset: string): NonNullable<IssuedView['fees']> {
    return this.bank.assets().find((one) => one.asset.id === asset)?.fees ?? [];
  }

  /** Kind, fixed, points, least, most. */
  set(asset: string, fee: NonNullable<IssuedView['fees']>[number]): void {
    const [kind, fixed, points, least] = fee;
    const others = this.all(asset).filter(([other]) => other !== kind);
    const isNothing = fixed === '0' && points === '0' && least === '0';
    this.bank.define(this.bank.asset(asset), { fees: isNothing ? others : [...others, fee] });
  }

  due(asset: string, kind: string, amount: bigint): bigint {
    const fee = this.all(asset).find(([other]) => other === kind);
    if (!fee) return 0n;
    const [fixed = 0n, points = 0n, least = 0n, most = 0n] = fee.slice(1).map(BigInt);
    const share = fixed + (amount * points + 5_000n) / 10_000n;
    const due = share < least ? least : share;
    const bound = most > 0n && due > most ? most : due;
    return bound < amount ? bound : amount;
  }
}

/** A node that takes something in shops and of what goes to other servers. */
export function fakeFees(bank: FakeBank): FakeFees {
  const fees = new FakeFees(bank);
  const asset = bank.assets()[0]?.asset.id;
  if (asset === undefined) return fees;
  fees.set(asset, ['person', '10', '50', '0', '100']);
  fees.set(asset, ['shop', '0', '150', '5', '0']);
  fees.set(asset, ['remote', '25', '100', '0', '500']);
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
    .on('set_fee', ({ kind, asset, fee }) => {
      if (BigInt(fee[1] ?? '0') > 10_000n) throw fail('invalid_field', 'points');
      fees.set(asset, [kind, ...fee]);
      engine.emit({ event: 'wallet' });
      return undefined;
    })
    .on('fees_earned', ({ asset }) => ({ id: 'fees', asset: fees.bank.asset(asset), title: '', balance: fees.earned.toString(), available: fees.earned.toString(), incoming: fees.held.toString(), outgoing: '0', frozen: false }))
    .on('take_fees', ({ amount }) => {
      if (BigInt(amount) > fees.earned) throw fail('insufficient_funds');
      fees.earned -= BigInt(amount);
      return undefined;
    });
}
