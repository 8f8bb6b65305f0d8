import type { ReceiptView } from '../../wire/ReceiptView';

/**
 * A receipt as a file. `signed` is all that the signature (ed25519, by the node's key, whose peer id stands beside it) is over: a name for
 * what it is, a zero byte, and the record in CBOR; both in hexadecimal.
 */
export function receiptFile(receipt: ReceiptView): string {
  const { transfer, node, key, number, time_ms, state } = receipt;
  const file = {
    format: 'weft-receipt/1',
    node,
    key,
    transfer,
    number,
    time: new Date(time_ms).toISOString(),
    state,
    receipt: { signed: receipt.signed, signature: receipt.signature },
    order: { signed: receipt.order_signed, signature: receipt.order_signature },
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}
