import { plainDecimal, type Unit } from '../../state/money';
import type { ReceiptView } from '../../wire/ReceiptView';

/**
 * A receipt as a file. `signed` is all that the signature (ed25519, by the node's key, whose peer id stands beside it) is over: a name for
 * what it is, a zero byte, and the record in CBOR; both in hexadecimal. Amount, fee and total are what that record says, for people.
 */
export function receiptFile(receipt: ReceiptView, unit: Unit): string {
  const { transfer, node, key, number, time_ms, state, asset, amount, fee } = receipt;
  const sum = (minor: bigint): string => plainDecimal(minor, unit.scale);
  const file = {
    format: 'weft-receipt/1',
    node,
    key,
    transfer,
    number,
    time: new Date(time_ms).toISOString(),
    state,
    asset: { code: unit.code, id: asset },
    amount: sum(BigInt(amount)),
    fee: sum(BigInt(fee)),
    total: sum(BigInt(amount) + BigInt(fee)),
    receipt: { signed: receipt.signed, signature: receipt.signature },
    order: { signed: receipt.order_signed, signature: receipt.order_signature },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}
