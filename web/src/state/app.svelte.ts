import type { Engine } from '../engine/calls';
import type { Event } from '../wire/Event';
import { chats } from './chats.svelte';
import { contacts } from './contacts.svelte';
import { nameDevice } from './device';
import { useEngine } from './engine';
import { groups } from './groups.svelte';
import { notices } from './notices.svelte';
import { purse } from './purse.svelte';
import { session } from './session.svelte';
import { timelines } from './timeline.svelte';
import { typing } from './typing.svelte';

/** Joins the state to the engine: what it says goes to each, and a new start of it loads everything anew. */
export function startState(engine: Engine): void {
  useEngine(engine);
  notices.start();
  engine.listen(heard);
  engine.watch((host) => {
    session.host = host;
    if (host.state === 'ready') void loadAll();
    // A newer version has taken the engine over: this page is of the old one.
    if (host.state === 'superseded') location.reload();
  });
  addEventListener('online', () => network(engine, true));
  addEventListener('offline', () => network(engine, false));
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') wake(engine);
  });
  // Also where a window was in sight all the time, beside another one.
  addEventListener('focus', () => wake(engine));
}

/** Connects now rather than after the back-off. */
export function wake(engine: Engine): void {
  if (session.host.state === 'ready' && session.me) engine.call({ call: 'wake' }).catch(() => undefined);
}

function network(engine: Engine, up: boolean): void {
  session.networkDown = !up;
  if (up) wake(engine);
}

/** An engine that was just started may be gone again at once (its tab was closed): then the next one is asked. */
const AGAIN_MS = 1_000;

async function loadAll(): Promise<void> {
  try {
    await session.load();
    if (session.me) await loadPeople();
  } catch {
    if (session.host.state === 'ready') setTimeout(() => void loadAll(), AGAIN_MS);
  }
}

async function loadPeople(): Promise<void> {
  nameDevice();
  await Promise.all([contacts.load(), chats.load()]);
  timelines.reload();
  groups.reload();
  // Also the first time: what the node issues decides what can be begun in a chat.
  purse.reload();
}

function heard(event: Event): void {
  if (event.event === 'me') signedIn(event.value !== null);
  session.heard(event);
  contacts.heard(event);
  chats.heard(event);
  groups.heard(event);
  timelines.heard(event);
  typing.heard(event);
  purse.heard(event);
  notices.heard(event);
}

/** Somebody signed in or out, perhaps in another tab. */
function signedIn(now: boolean): void {
  if (!now) {
    contacts.clear();
    chats.clear();
    groups.clear();
    timelines.clear();
    purse.clear();
  } else if (!contacts.loaded) loadPeople().catch(() => undefined);
}
