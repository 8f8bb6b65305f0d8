import { mount } from 'svelte';
import './theme.css';
import './base.css';
import App from './App.svelte';
import { router } from './router.svelte';
import { startState } from './state/app.svelte';
import { appearance } from './state/appearance.svelte';
import { i18n } from './state/i18n.svelte';
import { update } from './state/update.svelte';
import type { Engine } from './engine/calls';

/** `vite --mode fake`: the screens with a scripted engine, without a node. No part of a build. */
async function chooseEngine(): Promise<Engine> {
  if (import.meta.env.MODE === 'fake') return (await import('./engine/fake-world')).fakeEngine();
  const { EngineClient } = await import('./engine/client');
  const client = new EngineClient();
  client.start();
  return client;
}

i18n.start();
appearance.start();
router.start();
const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app');
startState(await chooseEngine());
mount(App, { target });
update.start();
