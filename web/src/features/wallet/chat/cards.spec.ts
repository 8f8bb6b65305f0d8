import { describe, expect, it } from 'vitest';
import { ME } from '../../../engine/fake';
import type { Looked } from '../../../state/wallet.svelte';
import type { PacketView } from '../../../wire/PacketView';
import type { TransferView } from '../../../wire/TransferView';
import { coverOf, packetLook, refunded, standing, sums, type Body } from './cards';

const EUR = { id: 'e', issuer: 'home.example', code: 'EUR', scale: 2 };
const bob = { user: 'bob@home.example', name: 'Bob' };
const me = { user: ME, name: 'Alice' };
const eve = { user: 'eve@home.example', name: 'Eve' };
const body: Body<'transfer'> = { kind: 'transfer', transfer: 't', asset: EUR, amount: '1234', note: '' };
const transfer = (part: Partial<TransferView> = {}): Looked<TransferView> => ({
  value: { id: 't', payer: bob, payee: me, mine: false, asset: EUR, amount: '1234', refunded: '0', request: null, shop: null, state: 'held', time_ms: 0, until_ms: 1, ...part },
  error: null,
});
const failed = (error: string): Looked<never> => ({ value: null, error });
const theirs = (looked: Looked<TransferView>) => standing(body, { sender: bob.user }, { user: bob.user }, ME, looked);

describe('a card of a transfer', () => {
  it('is what the node says', () => {
    for (const state of ['held', 'done', 'returned', 'expired']) expect(theirs(transfer({ state }))).toBe(state);
    expect(standing(body, { sender: ME }, { user: bob.user }, ME, transfer({ payer: me, payee: bob, mine: true }))).toBe('held');
  });

  it('is not believed before the node has spoken, and not without it', () => {
    expect(theirs({ value: null, error: null })).toBe('checking');
    expect(theirs(failed('offline'))).toBe('unchecked');
    expect(theirs(failed('not_found'))).toBe('unknown');
    // What was said before still holds when it cannot be asked again.
    expect(theirs({ ...transfer(), error: 'offline' })).toBe('held');
  });

  it('is called out when it says another amount, asset or people', () => {
    expect(theirs(transfer({ amount: '1' }))).toBe('differs');
    expect(theirs(transfer({ asset: { ...EUR, id: 'other' } }))).toBe('differs');
    // Somebody shows as their own what another has paid.
    expect(theirs(transfer({ payer: eve }))).toBe('people');
    expect(theirs(transfer({ payee: eve }))).toBe('people');
    expect(theirs(transfer({ payer: me, payee: bob, mine: true }))).toBe('people');
    expect(standing(body, { sender: ME }, { user: bob.user }, ME, transfer({ payer: me, payee: eve, mine: true }))).toBe('people');
    // In a group nobody says to whom it is; but it is from its sender.
    expect(standing(body, { sender: bob.user }, { user: null }, ME, transfer())).toBe('held');
    expect(standing(body, { sender: eve.user }, { user: null }, ME, transfer())).toBe('people');
  });

  it('says what went back', () => {
    expect(refunded(null)).toBe('none');
    expect(refunded(transfer().value)).toBe('none');
    expect(refunded(transfer({ refunded: '1' }).value)).toBe('part');
    expect(refunded(transfer({ refunded: '1234' }).value)).toBe('all');
  });
});

const packet = (part: Partial<PacketView> = {}): PacketView => ({ packet: 'p', maker: bob, asset: EUR, lucky: true, shares: 3, total: '1000', left: '1000', state: 'open', until_ms: 1, mine: null, coming: false, only: null, claims: [], fair: null, ...part });
const look = (part: Partial<PacketView>) => packetLook({ value: packet(part), error: null }, ME);

describe('a red packet', () => {
  it('is sealed for whoever may open it and has not', () => {
    expect(look({})).toBe('sealed');
    expect(look({ only: me })).toBe('sealed');
    expect(look({ only: eve })).toBe('others');
    expect(look({ mine: '12', state: 'empty' })).toBe('opened');
    expect(look({ coming: true, state: 'empty' })).toBe('coming');
    expect(look({ state: 'empty' })).toBe('empty');
    expect(look({ state: 'expired' })).toBe('expired');
    expect(packetLook(failed('not_found'), ME)).toBe('unknown');
    expect(packetLook(failed('offline'), ME)).toBe('unchecked');
  });

  it('gives back what nobody took', () => {
    const claims = [{ person: eve, amount: '300', time_ms: 0, returned: false, best: false }, { person: me, amount: '41', time_ms: 0, returned: false, best: false }];
    expect(sums(packet({ claims, left: '659' }))).toEqual({ taken: 341n, returned: 0n });
    expect(sums(packet({ claims, left: '0', state: 'expired' }))).toEqual({ taken: 341n, returned: 659n });
  });

  it('says of a share that could not be paid that it went back, and does not count it as taken', () => {
    const claims = [{ person: eve, amount: '300', time_ms: 0, returned: false, best: false }, { person: me, amount: '41', time_ms: 0, returned: true, best: false }];
    expect(look({ claims })).toBe('back');
    expect(sums(packet({ claims, left: '659' }))).toEqual({ taken: 300n, returned: 41n });
    expect(sums(packet({ claims, left: '0', state: 'expired' }))).toEqual({ taken: 300n, returned: 700n });
  });

  it('has a cover, also if it names one that is not known here', () => {
    expect([0, 3, 4, 255, -1, 1.5].map(coverOf)).toEqual([0, 3, 0, 0, 0, 0]);
  });
});
