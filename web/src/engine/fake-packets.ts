/** Red packets of the small ledger: a share each, while there are shares. */
import type { ClaimView } from '../wire/ClaimView';
import type { PacketView } from '../wire/PacketView';
import { fail, ME, MINUTE, type FakeEngine } from './fake';
import { type FakeBank } from './fake-wallet';

export interface FakePacket {
  id: string;
  maker: string;
  asset: string;
  total: bigint;
  shares: number;
  lucky: boolean;
  only: string | null;
  until_ms: number;
  claims: { user: string; amount: bigint; time_ms: number }[];
  fair: boolean;
}

/** All shares of a packet, the first one first. By lot: up to twice the average of what is left, and one unit at least. */
export function sharesOf({ total, shares, lucky }: Pick<FakePacket, 'total' | 'shares' | 'lucky'>): bigint[] {
  const all: bigint[] = [];
  let left = total;
  for (let rest = BigInt(shares); rest > 0n; rest -= 1n) {
    const most = (left / rest) * 2n - 1n;
    // No random numbers: a picture of the screen is the same each time.
    const drawn = !lucky || rest === 1n ? left / rest : 1n + ((left * 7n + rest * 31n) % (most > 0n ? most : 1n));
    all.push(drawn);
    left -= drawn;
  }
  return all;
}

export class FakePackets {
  readonly all = new Map<string, FakePacket>();

  constructor(readonly bank: FakeBank) {}

  give(packet: Pick<FakePacket, 'id' | 'maker' | 'asset' | 'total' | 'shares'> & Partial<FakePacket>): FakePacket {
    const given: FakePacket = { lucky: true, only: null, until_ms: this.bank.now() + 24 * 60 * MINUTE, claims: [], fair: true, ...packet };
    if (given.shares < 1 || given.shares > 500 || given.total < BigInt(given.shares)) throw fail('bad_input', 'amount');
    if (!given.lucky && given.total % BigInt(given.shares) !== 0n) throw fail('payment_refused');
    this.bank.move({ id: given.id, purpose: 'red packet', asset: given.asset, from: given.maker, to: `packet ${given.id}`, amount: given.total, packet: given.id });
    this.all.set(given.id, given);
    return given;
  }

  /** Opens it for somebody. Asked again it gives the same share. */
  open(id: string, user: string): FakePacket {
    const packet = this.all.get(id);
    if (!packet) throw fail('not_found');
    if (packet.claims.some((claim) => claim.user === user)) return packet;
    if (packet.only && packet.only !== user) throw fail('forbidden');
    if (packet.until_ms <= this.bank.now()) throw fail('packet_over');
    const amount = sharesOf(packet)[packet.claims.length];
    if (amount === undefined) throw fail('packet_empty');
    packet.claims.push({ user, amount, time_ms: this.bank.now() });
    this.bank.move({ id: `${id}/${user}`, purpose: 'from a red packet', asset: packet.asset, from: `packet ${id}`, to: user, amount, packet: id });
    return packet;
  }

  view(packet: FakePacket): PacketView {
    const { bank } = this;
    const full = packet.claims.length === packet.shares;
    const over = packet.until_ms <= bank.now();
    const taken = packet.claims.reduce((sum, claim) => sum + claim.amount, 0n);
    const most = packet.claims.reduce((best, claim) => (claim.amount > best ? claim.amount : best), 0n);
    const luckiest = packet.claims.find((claim) => claim.amount === most)?.user;
    return {
      packet: packet.id,
      maker: bank.person(packet.maker),
      asset: bank.asset(packet.asset),
      lucky: packet.lucky,
      shares: packet.shares,
      total: packet.total.toString(),
      left: (over ? 0n : packet.total - taken).toString(),
      state: full ? 'empty' : over ? 'expired' : 'open',
      until_ms: packet.until_ms,
      mine: packet.claims.find((claim) => claim.user === ME)?.amount.toString() ?? null,
      coming: false,
      only: packet.only ? bank.person(packet.only) : null,
      claims: packet.claims.map((claim): ClaimView => ({ person: bank.person(claim.user), amount: claim.amount.toString(), time_ms: claim.time_ms, returned: false, best: packet.lucky && full && claim.user === luckiest })),
      fair: full || over ? packet.fair : null,
    };
  }
}

/** Answers the calls about red packets that are there, for {@link ME}. Giving one is answered by the wallet. */
export function answerPackets(engine: FakeEngine, packets: FakePackets): FakeEngine {
  const idOf = (chat: string, message: string): string => {
    const card = packets.bank.cards.get(`${chat}/${message}`);
    if (card?.kind !== 'packet') throw fail('not_found');
    return card.packet;
  };
  return engine
    .on('packet', ({ chat, id }) => {
      const packet = packets.all.get(idOf(chat, id));
      if (!packet) throw fail('not_found');
      return packets.view(packet);
    })
    .on('open_packet', ({ chat, id }) => {
      const packet = packets.open(idOf(chat, id), ME);
      engine.emit({ event: 'wallet' });
      return packets.view(packet);
    });
}
