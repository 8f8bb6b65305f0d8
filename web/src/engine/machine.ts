/** The wasm engine as the host drives it: pure, no I/O, every answer an {@link Output}. The shapes are those of src/wasm. */

export type Space = 'state' | 'history';
export type Row = [key: Uint8Array, value: Uint8Array];

export type Write =
  | { write: 'put'; space: Space; key: Uint8Array; value: Uint8Array }
  | { write: 'delete'; space: Space; key: Uint8Array }
  | { write: 'wipe' };

export type Effect =
  | { effect: 'request'; ticket: number; method: string; path: string; token?: string | null; body?: Uint8Array | null }
  | { effect: 'socket_open' }
  | { effect: 'socket_send'; bytes: Uint8Array }
  | { effect: 'socket_close' }
  | { effect: 'read_history'; ticket: number; from: Uint8Array; to: Uint8Array; limit: number; reverse: boolean }
  /** JSON of a `Reply` or of a `CallError`. */
  | { effect: 'reply'; id: number; ok?: string; err?: string }
  /** JSON of an `Event`. */
  | { effect: 'event'; event: string };

export interface Output {
  writes: Write[];
  effects: Effect[];
  /** When the engine would like a tick, ms since 1970, unless something else comes first. */
  wake_ms?: number | null | undefined;
}

/** All times are ms since 1970. */
export interface Machine {
  handle_call(now: number, id: number, json: string): Output;
  handle_response(now: number, ticket: number, status: number, body: Uint8Array): Output;
  handle_no_answer(now: number, ticket: number): Output;
  handle_history(now: number, ticket: number, rows: Row[]): Output;
  socket_opened(now: number): Output;
  socket_frame(now: number, bytes: Uint8Array): Output;
  socket_closed(now: number): Output;
  tick(now: number): Output;
}
