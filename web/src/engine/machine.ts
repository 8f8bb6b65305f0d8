/** The wasm engine as the host drives it: pure, no I/O, every answer an {@link Output}. Mirrors `engine/src/host.rs`. */

export type Space = 'state' | 'history';
export type Row = [key: Uint8Array, value: Uint8Array];

export type Write =
  | { op: 'put'; space: Space; key: Uint8Array; value: Uint8Array }
  | { op: 'delete'; space: Space; key: Uint8Array }
  | { op: 'wipe' };

export type Effect =
  | { effect: 'request'; ticket: number; method: string; path: string; token?: string | null; body?: Uint8Array | null }
  | { effect: 'socket_open' }
  | { effect: 'socket_send'; frame: Uint8Array }
  | { effect: 'socket_close' }
  | { effect: 'read_history'; ticket: number; from: Uint8Array; to: Uint8Array; limit: number; reverse: boolean }
  | { effect: 'reply'; id: number; reply?: unknown; error?: unknown }
  | { effect: 'event'; event: unknown };

export interface Output {
  writes: Write[];
  effects: Effect[];
  /** Unix time in ms. */
  wakeMs: number | null;
}

export interface Machine {
  call(now: number, id: number, call: unknown): Output;
  response(now: number, ticket: number, status: number, body: Uint8Array): Output;
  noAnswer(now: number, ticket: number): Output;
  history(now: number, ticket: number, rows: Row[]): Output;
  socketOpened(now: number): Output;
  socketFrame(now: number, frame: Uint8Array): Output;
  socketClosed(now: number): Output;
  tick(now: number): Output;
}
