/// <reference lib="webworker" />
/**
 * The worker that owns the wasm engine. As a SharedWorker it serves every tab by its port. Where that is missing each tab
 * starts one of these as a plain worker: a Web Lock elects the one that owns the engine, the others relay to it.
 */
import * as http from '../client/http';
import { Socket } from '../client/socket';
import type { Event } from '../wire/Event';
import type { HostFailure, HostState } from './calls';
import { openMachine } from './face';
import { EngineHost } from './host';
import { channels, locks, type Relayed, type ToHost, type ToTab } from './protocol';
import { Damaged, Store } from './store';

declare const self: SharedWorkerGlobalScope & DedicatedWorkerGlobalScope;

type Send = (message: ToTab) => void;

/** Tabs that are served here, by their id. */
const tabs = new Map<string, Send>();
/** Names this run; the lock is held until this worker is gone. */
const run = crypto.randomUUID();
/** The address of this script carries the hash of its content. */
const version = self.location.href;
const shared = 'onconnect' in self;
const relay = shared ? null : new BroadcastChannel(channels.relay);

let state: HostState = { state: 'starting' };
let host: EngineHost | null = null;
let store: Store | null = null;
/** How the connection was last: a tab that comes later was not there to hear it. */
let connection: Event | null = null;
let release: () => void = () => undefined;
/** A plain worker that does not own the engine: its one tab, and what it asks. */
let ownTab: { id: string; send: Send } | null = null;
let owner = false;

function tell(next: HostState): void {
  state = next;
  for (const send of tabs.values()) send({ t: 'host', host: state, run });
}

function fail(code: HostFailure, cause: unknown): void {
  console.error('weft: the engine stopped', code, cause);
  tell({ state: 'failed', code, message: cause instanceof Error ? cause.message : String(cause) });
}

async function start(): Promise<void> {
  try {
    store = await Store.open('weft', () => fail('storage', new Error('the browser closed the database')));
  } catch (cause) {
    fail('storage', cause);
    return;
  }
  try {
    await assemble(store);
    tell({ state: 'ready', run });
  } catch (cause) {
    fail(cause instanceof Damaged ? 'damaged' : 'broken', cause);
  }
}

async function assemble(opened: Store): Promise<void> {
  const rows = await opened.loadState();
  const machine = await openMachine(rows, Date.now());
  const socket = new Socket({
    opened: () => host?.opened(),
    frame: (bytes) => host?.frame(bytes),
    closed: () => host?.closed(),
  });
  host = new EngineHost({
    machine,
    commit: (writes) => opened.commit(writes),
    readHistory: (from, to, limit, reverse) => opened.readHistory(from, to, limit, reverse),
    request: http.request,
    socket,
    now: Date.now,
    event: (event) => {
      if (event.event === 'connection') connection = event;
      for (const send of tabs.values()) send({ t: 'event', event });
    },
    failed: fail,
  });
  self.addEventListener('offline', () => socket.drop());
  self.addEventListener('online', () => void host?.call({ call: 'wake' }));
}

async function heard(message: ToHost, send: Send): Promise<void> {
  if (message.t === 'hello') {
    tabs.set(message.tab, send);
    send({ t: 'host', host: state, run });
    if (connection) send({ t: 'event', event: connection });
    // Granted once the tab is gone, however it went.
    void navigator.locks.request(locks.tab(message.tab), () => tabs.delete(message.tab));
  } else if (message.t === 'call') {
    const { id, call } = message;
    const answered = await (host?.call(call) ?? { error: { code: 'engine_restarted', message: 'not ready', field: null, retry_after_ms: null } });
    send('error' in answered ? { t: 'error', id, error: answered.error } : { t: 'reply', id, reply: answered.reply });
  } else {
    await host?.stop();
    await store?.erase();
    send({ t: 'erased', id: message.id });
  }
}

function relayTo(tab: string): Send {
  return (message) => relay?.postMessage({ to: 'tab', tab, message } satisfies Relayed);
}

function listenToRelay(): void {
  relay?.addEventListener('message', ({ data }: MessageEvent<Relayed>) => {
    if (owner && data.to === 'host') void heard(data.message, relayTo(data.tab));
    else if (!owner && data.to === 'tab' && data.tab === ownTab?.id) ownTab.send(data.message);
    else if (!owner && data.to === 'tabs' && ownTab) relay.postMessage({ to: 'host', tab: ownTab.id, message: { t: 'hello', tab: ownTab.id } } satisfies Relayed);
  });
}

function listenToOwnTab(): void {
  const send: Send = (message) => self.postMessage(message);
  self.onmessage = ({ data }: MessageEvent<ToHost>) => {
    if (data.t === 'hello') ownTab = { id: data.tab, send };
    if (owner) void heard(data, send);
    else if (ownTab) relay?.postMessage({ to: 'host', tab: ownTab.id, message: data } satisfies Relayed);
  };
}

/** A newer version waits for the engine: finish what is under way, and make room. */
function listenForSuccessor(): void {
  const handover = new BroadcastChannel(channels.handover);
  handover.addEventListener('message', ({ data }: MessageEvent<{ version: string }>) => {
    if (data.version === version || !owner) return;
    void host?.stop().then(() => {
      store?.close();
      tell({ state: 'superseded' });
      release();
    });
  });
  handover.postMessage({ version });
}

async function own(): Promise<void> {
  owner = true;
  if (ownTab) void heard({ t: 'hello', tab: ownTab.id }, ownTab.send);
  relay?.postMessage({ to: 'tabs', up: run } satisfies Relayed);
  await start();
}

if (shared) {
  self.onconnect = ({ ports: [port] }: MessageEvent) => {
    if (!port) return;
    const send: Send = (message) => port.postMessage(message);
    port.onmessage = ({ data }: MessageEvent<ToHost>) => void heard(data, send);
  };
} else {
  listenToRelay();
  listenToOwnTab();
}
void navigator.locks.request(locks.run(run), () => new Promise(() => undefined));
void navigator.locks.request(locks.engine, async () => {
  const released = new Promise<void>((resolve) => (release = resolve));
  await own();
  await released;
});
listenForSuccessor();
