import type { Answer, Request } from '../client/http';
import type { Call } from '../wire/Call';
import type { CallError } from '../wire/CallError';
import type { Event } from '../wire/Event';
import type { Reply } from '../wire/Reply';
import type { HostFailure } from './calls';
import type { Effect, Machine, Output, Row, Write } from './machine';

/** What the host does its duties with. Handed in, so that a test can fail any of it at any moment. */
export interface Parts {
  machine: Machine;
  commit(writes: readonly Write[]): Promise<void>;
  readHistory(from: Uint8Array, to: Uint8Array, limit: number, reverse: boolean): Promise<Row[]>;
  request(request: Request): Promise<Answer>;
  socket: { open(path: string): void; send(frame: Uint8Array): void; close(): void };
  now(): number;
  event(event: Event): void;
  failed(code: HostFailure, cause: unknown): void;
}

export type Answered = { reply: Reply } | { error: CallError };

/** The path of the one socket. */
const SOCKET_PATH = '/api/v1/sync';
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Drives the engine. For each output: its writes are made durable in one transaction, then its effects are carried out in
 * order; outputs never overtake each other. While a transaction is on its way to the disk further outputs gather, and
 * share the next one: a burst of messages costs two or three waits for the disk, not hundreds.
 */
export class EngineHost {
  readonly #parts: Parts;
  readonly #waiting = new Map<number, (answered: Answered) => void>();
  #outputs: Output[] = [];
  #draining: Promise<void> = Promise.resolve();
  /** Whether {@link #drain} is under way and will find what is pushed. */
  #busy = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #nextCall = 1;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#feed((machine, now) => machine.tick(now));
  }

  /** Asks the engine; resolves when it has answered and what it changed is on the disk. */
  call(call: Call): Promise<Answered> {
    const id = this.#nextCall++;
    return new Promise((answered) => {
      if (this.#stopped) {
        answered({ error: gone });
        return;
      }
      this.#waiting.set(id, answered);
      this.#feed((machine, now) => machine.handle_call(now, id, JSON.stringify(call)));
    });
  }

  opened(): void {
    this.#feed((machine, now) => machine.socket_opened(now));
  }

  frame(bytes: Uint8Array): void {
    this.#feed((machine, now) => machine.socket_frame(now, bytes));
  }

  closed(): void {
    this.#feed((machine, now) => machine.socket_closed(now));
  }

  /** Takes nothing more in, finishes what was begun, and lets go of the network. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#draining;
    this.#parts.socket.close();
    for (const answered of this.#waiting.values()) answered({ error: gone });
    this.#waiting.clear();
  }

  #feed(step: (machine: Machine, now: number) => Output): void {
    if (this.#stopped) return;
    let output: Output;
    try {
      output = step(this.#parts.machine, this.#parts.now());
    } catch (cause) {
      this.#fail('broken', cause);
      return;
    }
    this.#wake(output.wake_ms ?? null);
    this.#outputs.push(output);
    if (!this.#busy) this.#draining = this.#drain();
  }

  async #drain(): Promise<void> {
    this.#busy = true;
    while (this.#outputs.length > 0) {
      const batch = this.#outputs;
      this.#outputs = [];
      const writes = batch.flatMap((output) => output.writes);
      if (writes.length > 0) {
        try {
          await this.#parts.commit(writes);
        } catch (cause) {
          // The engine is ahead of the disk now: nothing it says may leave this worker any more.
          this.#fail('storage', cause);
          return;
        }
      }
      for (const output of batch) for (const effect of output.effects) this.#run(effect);
    }
    this.#busy = false;
  }

  #run(effect: Effect): void {
    const { socket } = this.#parts;
    switch (effect.effect) {
      case 'request':
        void this.#request(effect);
        break;
      case 'read_history':
        void this.#readHistory(effect);
        break;
      case 'socket_open':
        socket.open(SOCKET_PATH);
        break;
      case 'socket_send':
        socket.send(effect.bytes);
        break;
      case 'socket_close':
        socket.close();
        break;
      case 'event':
        this.#parts.event(JSON.parse(effect.event) as Event);
        break;
      case 'reply': {
        const answered = this.#waiting.get(effect.id);
        this.#waiting.delete(effect.id);
        answered?.(effect.ok === undefined ? { error: JSON.parse(effect.err ?? '') as CallError } : { reply: JSON.parse(effect.ok) as Reply });
      }
    }
  }

  async #request(effect: Extract<Effect, { effect: 'request' }>): Promise<void> {
    try {
      const answer = await this.#parts.request(effect);
      this.#feed((machine, now) => machine.handle_response(now, effect.ticket, answer.status, answer.body));
    } catch {
      // No network, a time-out, an answer over its bound: to the engine it is all the same.
      this.#feed((machine, now) => machine.handle_no_answer(now, effect.ticket));
    }
  }

  async #readHistory(effect: Extract<Effect, { effect: 'read_history' }>): Promise<void> {
    try {
      const rows = await this.#parts.readHistory(effect.from, effect.to, effect.limit, effect.reverse);
      this.#feed((machine, now) => machine.handle_history(now, effect.ticket, rows));
    } catch (cause) {
      this.#fail('damaged', cause);
    }
  }

  #wake(at: number | null): void {
    clearTimeout(this.#timer);
    if (at === null) return;
    const wait = Math.min(Math.max(at - this.#parts.now(), 0), TIMER_MS_MAX);
    this.#timer = setTimeout(() => this.#feed((machine, now) => machine.tick(now)), wait);
  }

  #fail(code: HostFailure, cause: unknown): void {
    this.#stopped = true;
    this.#outputs = [];
    clearTimeout(this.#timer);
    this.#parts.socket.close();
    for (const answered of this.#waiting.values()) answered({ error: gone });
    this.#waiting.clear();
    this.#parts.failed(code, cause);
  }
}

const gone: CallError = { code: 'engine_restarted', message: 'The engine was stopped.', field: null, retry_after_ms: null };
