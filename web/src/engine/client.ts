import type { Event } from '../wire/Event';
import { CallFailed, type CallName, type CallOf, type Engine, type HostState, type ValueOf } from './calls';
import { locks, type ToHost, type ToTab } from './protocol';
import { scriptUrl } from './trusted';
import workerUrl from './worker?worker&url';

interface Waiting {
  resolve(value: unknown): void;
  reject(error: CallFailed): void;
}

/** One connection to a host; made anew when the host is gone. */
interface Line {
  post(message: ToHost): void;
  close(): void;
}

/** The engine as a tab reaches it, whichever kind of worker it lives in. */
export class EngineClient implements Engine {
  /** Named with the start: a page without a secure context has no randomUUID either. */
  #tab = '';
  readonly #listeners = new Set<(event: Event) => void>();
  readonly #watchers = new Set<(state: HostState) => void>();
  readonly #waiting = new Map<number, Waiting>();
  #state: HostState = { state: 'starting' };
  #line: Line | null = null;
  #nextId = 1;
  /** The run that this tab watches, so that it notices when it ends. */
  #run = '';

  /** Held until the tab is gone: the host forgets it then. */
  start(): void {
    if (!isSecureContext) {
      this.#become({ state: 'failed', code: 'insecure', message: location.origin });
      return;
    }
    if (!('locks' in navigator) || !('indexedDB' in globalThis) || !('WebAssembly' in globalThis)) {
      this.#become({ state: 'failed', code: 'unsupported', message: 'Web Locks, IndexedDB or WebAssembly is missing' });
      return;
    }
    this.#tab = crypto.randomUUID();
    void navigator.locks.request(locks.tab(this.#tab), () => {
      this.#connect();
      return new Promise(() => undefined);
    });
  }

  async call<N extends CallName>(call: CallOf<N>): Promise<ValueOf<N>> {
    const id = this.#nextId++;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // A plain copy: proxies of the UI's state cannot be sent to a worker.
      this.#line?.post({ t: 'call', id, call: JSON.parse(JSON.stringify(call)) as CallOf<N> });
    }) as Promise<ValueOf<N>>;
  }

  listen(heard: (event: Event) => void): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  watch(heard: (state: HostState) => void): () => void {
    this.#watchers.add(heard);
    heard(this.#state);
    return () => this.#watchers.delete(heard);
  }

  async erase(): Promise<void> {
    const id = this.#nextId++;
    await new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#line?.post({ t: 'erase', id });
    });
  }

  #connect(): void {
    this.#line?.close();
    this.#line = 'SharedWorker' in globalThis ? this.#shared() : this.#plain();
    this.#line.post({ t: 'hello', tab: this.#tab });
  }

  #shared(): Line {
    const worker = new SharedWorker(scriptUrl(workerUrl), { type: 'module', name: 'weft' });
    worker.onerror = () => this.#broken();
    worker.port.onmessage = ({ data }: MessageEvent<ToTab>) => this.#heard(data);
    return { post: (message) => worker.port.postMessage(message), close: () => worker.port.close() };
  }

  #plain(): Line {
    const worker = new Worker(scriptUrl(workerUrl), { type: 'module', name: 'weft' });
    worker.onerror = () => this.#broken();
    worker.onmessage = ({ data }: MessageEvent<ToTab>) => this.#heard(data);
    return { post: (message) => worker.postMessage(message), close: () => worker.terminate() };
  }

  #heard(message: ToTab): void {
    switch (message.t) {
      case 'event':
        for (const heard of this.#listeners) heard(message.event);
        break;
      case 'host':
        this.#follow(message.run);
        this.#become(message.host);
        break;
      case 'reply':
        this.#settle(message.id)?.resolve('value' in message.reply ? message.reply.value : undefined);
        break;
      case 'erased':
        this.#settle(message.id)?.resolve(undefined);
        break;
      case 'error':
        this.#settle(message.id)?.reject(new CallFailed(message.error));
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  /** Waits for the end of this run: its worker may crash, or the tab that owned it may be closed. */
  #follow(run: string): void {
    if (run === this.#run) return;
    const before = this.#run;
    this.#run = run;
    if (before) this.#dropCalls();
    void navigator.locks.request(locks.run(run), { mode: 'shared' }, () => {
      if (this.#run !== run || this.#state.state === 'superseded') return;
      this.#dropCalls();
      this.#run = '';
      this.#become({ state: 'starting' });
      // Plain workers elect the next one among themselves; a shared one has to be started again.
      if ('SharedWorker' in globalThis) this.#connect();
    });
  }

  #dropCalls(): void {
    for (const waiting of this.#waiting.values()) waiting.reject(CallFailed.restarted());
    this.#waiting.clear();
  }

  #broken(): void {
    this.#become({ state: 'failed', code: 'broken', message: 'the worker did not start' });
    this.#dropCalls();
  }

  #become(state: HostState): void {
    this.#state = state;
    for (const heard of this.#watchers) heard(state);
  }
}
