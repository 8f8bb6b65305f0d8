import type { CallOf } from '../engine/calls';
import type { PasskeyView } from '../wire/PasskeyView';
import { engine } from './engine';

/** The passkey that opens this device's order key beside the PIN. The engine keeps it; no server knows of it. */
export const passkeys = {
  /** What the browser has to be asked for; none: the PIN alone opens it. */
  get(): Promise<PasskeyView | null> {
    return engine().call({ call: 'passkey' });
  },
  async set(wish: Omit<CallOf<'set_passkey'>, 'call'>): Promise<void> {
    await engine().call({ call: 'set_passkey', ...wish });
  },
  async forget(): Promise<void> {
    await engine().call({ call: 'forget_passkey' });
  },
};

/** What a payment takes in place of the PIN. */
export function asPin(secret: string): string {
  return `prf:${secret}`;
}
