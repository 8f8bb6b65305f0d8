import type { Page } from '@playwright/test';
import { decode, encode, type Value } from './cbor.ts';
import { readRows, writeRows, type Row } from './rows.ts';

/**
 * Gives a chat a long history, as if it had been lived through: rows are written into the browser's own database, sealed
 * with its own key, which only a script of the same origin can use. The page must be one without the app, so that no
 * engine is running. The last message of the chat serves as the pattern.
 */
export async function seedHistory(page: Page, count: number): Promise<void> {
  const rows = await page.evaluate(readRows);
  const map = (row: Row): Map<Value, Value> | null => {
    const value = decode(Uint8Array.from(row[2]));
    return value instanceof Map ? value : null;
  };
  const chatRow = rows.find((row) => row[0] === 'state' && map(row)?.has('next_order'));
  const pattern = rows.filter((row) => row[0] === 'history' && row[1][0] === 0x68 && map(row)?.get('sender')).at(-1);
  const chat = chatRow && map(chatRow);
  const message = pattern && map(pattern);
  if (!chatRow || !chat || !pattern || !message) throw new Error('there is no message to take as a pattern');

  const first = Number(chat.get('next_order'));
  const from = Number(message.get('time_ms'));
  const others = Number(message.get('others'));
  const mine = [...rows].filter((row) => row[0] === 'history' && row[1][0] === 0x68).map(map).find((row) => row?.get('sender') && row.get('sender') !== message.get('sender'));
  const written: Row[] = [];
  for (let index = 0; index < count; index += 1) {
    const sender = index % 3 === 0 && mine ? mine : message;
    const order = first + index;
    const id = Uint8Array.from({ length: 16 }, (_, byte) => (byte < 8 ? 0xee : Math.floor(order / 256 ** (15 - byte)) % 256));
    const text = `message ${index + 1} ${'lorem ipsum dolor sit amet '.repeat(index % 7)}`.trim();
    const row = new Map(sender);
    row.set('id', id);
    row.set('order', order);
    row.set('time_ms', from + index * 1_000);
    row.set('body', new Map([['text', new Map([['text', text]])]]));
    row.set('reply_to', null);
    row.set('others', others);
    written.push(['history', [...pattern[1].slice(0, -8), ...orderBytes(order)], [...encode(row)]]);
  }
  chat.set('next_order', first + count);
  const last = written.at(-1);
  if (last) chat.set('last', decode(Uint8Array.from(last[2])));
  written.push(['state', chatRow[1], [...encode(chat)]]);
  for (let at = 0; at < written.length; at += 2_000) await page.evaluate(writeRows, written.slice(at, at + 2_000));
}

function orderBytes(order: number): number[] {
  return Array.from({ length: 8 }, (_, byte) => Math.floor(order / 256 ** (7 - byte)) % 256);
}
