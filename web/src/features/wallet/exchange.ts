/** What somebody at another server gets of what one pays, at the rates that the two servers have agreed on. */
import { decimalMark, MINOR_MAX } from '../../state/money';
import { wallet } from '../../state/wallet.svelte';
import type { AssetView } from '../../wire/AssetView';
import type { RateView } from '../../wire/RateView';
import { nodeOf } from '../../ui/address';
import type { AmountChoice } from './AmountField.svelte';
import { payable } from './chat/choices';

/** What one can give for what somebody gets; no rate: that itself. */
export interface Way extends AmountChoice {
  rate: RateView | null;
}

/** At which rates this person can be paid with this asset. */
export function ratesTo(user: string, asset: string): RateView[] {
  const link = wallet.links.find(({ node }) => node === nodeOf(user));
  return (link?.rates ?? []).filter(({ give }) => give === asset);
}

/** With what one can pay somebody who gets this: first with that itself. */
export function waysTo(user: string, get: AssetView): Way[] {
  const own = payable(user);
  const same = own.filter(({ asset }) => asset.id === get.id).map((choice) => ({ ...choice, rate: null }));
  const others = own.flatMap((choice) => ratesTo(user, choice.asset.id).filter((rate) => rate.get.id === get.id).map((rate) => ({ ...choice, rate })));
  return [...same, ...others];
}

/** A rate as this language writes it: `1,09`, without thousands. What is a fraction stays one. */
export function editRate(rate: string, locale: string): string {
  return rate.replace('.', decimalMark(locale));
}

/** Rounded down, as both servers do it; none: it is nothing, or more than there can be. */
export function gotFor(minor: bigint, { numerator, denominator }: RateView): bigint | null {
  const got = (minor * BigInt(numerator)) / BigInt(denominator);
  return got > 0n && got <= MINOR_MAX ? got : null;
}

/** The least that one gives for at least so much; none: there can be no such sum. */
export function givenFor(got: bigint, { numerator, denominator }: RateView): bigint | null {
  const given = (got * BigInt(denominator) + BigInt(numerator) - 1n) / BigInt(numerator);
  return given > 0n && given <= MINOR_MAX ? given : null;
}
