import type { Call } from '../wire/Call';
import type { CallError } from '../wire/CallError';
import type { Event } from '../wire/Event';
import type { Reply } from '../wire/Reply';
import type { HostState } from './calls';

/** From a tab to the host. */
export type ToHost =
  | { t: 'hello'; tab: string }
  | { t: 'call'; id: number; call: Call }
  | { t: 'erase'; id: number };

/** From the host to a tab. */
export type ToTab =
  | { t: 'host'; host: HostState; run: string }
  | { t: 'reply'; id: number; reply: Reply }
  | { t: 'error'; id: number; error: CallError }
  | { t: 'erased'; id: number }
  | { t: 'event'; event: Event };

/** Names of Web Locks. A lock that is granted to a waiter says that its holder is gone, crashed or not. */
export const locks = {
  /** Held by whoever owns the engine: there is never more than one in a browser profile. */
  engine: 'weft-engine',
  /** Held by a host for as long as it lives; tabs wait for it. */
  run: (run: string): string => `weft-run-${run}`,
  /** Held by a tab for as long as it lives; the host waits for it. */
  tab: (tab: string): string => `weft-tab-${tab}`,
};

/** Names of BroadcastChannels. */
export const channels = {
  /** A newer version asks the older one to make room. */
  handover: 'weft-handover',
  /** Carries the messages of tabs whose worker does not own the engine (no SharedWorker here). */
  relay: 'weft-relay',
};

/** On {@link channels.relay}. */
export type Relayed = { to: 'host'; tab: string; message: ToHost } | { to: 'tab'; tab: string; message: ToTab } | { to: 'tabs'; up: string };
