import { expect, it } from 'vitest';
import { CallFailed } from '../../engine/calls';
import type { TransferView } from '../../wire/TransferView';
import { acceptError, backText } from './back';

const EUR = { id: 'eur', code: 'EUR', scale: 2, issuer: 'home.example' };
const party = { user: 'alice@home.example', name: 'Alice' };

function returned(rejection?: string): TransferView {
  return { id: 't1', payer: party, payee: party, mine: true, asset: EUR, amount: '1200', refunded: '0', request: null, shop: null, state: 'returned', time_ms: 1, until_ms: null, ...(rejection ? { rejection } : {}) };
}

it('says why money went back that nobody gave back', () => {
  expect(backText(returned('rate'))).toMatch(/rate of exchange has changed/);
  expect(backText(returned('guarded'))).toMatch(/approval/);
  for (const rejection of ['declined', 'of tomorrow', undefined]) expect(backText(returned(rejection))).toBeNull();
  expect(backText({ ...returned('rate'), state: 'held' })).toBeNull();
  expect(backText(null)).toBeNull();
});

it('does not ask whoever accepts to look at an amount again', () => {
  const told = (code: string) => acceptError(new CallFailed({ code, message: 'no', field: null, retry_after_ms: null }));
  expect(told('rate_changed')).toMatch(/went back/);
  expect(told('already_decided')).toMatch(/already/);
  expect(acceptError(new Error('away'))).toBeNull();
});
