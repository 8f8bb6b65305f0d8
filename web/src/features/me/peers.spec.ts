import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fail, FakeEngine } from '../../engine/fake';
import { useEngine } from '../../state/engine';
import type { PeerView } from '../../wire/PeerView';
import Peers from './Peers.svelte';

const peer = (name: string, part: Partial<PeerView> = {}): PeerView => ({ name, state: 'pinned', key: 'K1', new_key: null, connected: false, relayed: false, waiting: 0, limit: null, last_contact_ms: 0, last_error: null, ...part });

let peers: PeerView[];
let fake: FakeEngine;
beforeEach(() => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  peers = [peer('calm.example', { connected: true }), peer('other.example', { state: 'new_key', new_key: 'K2', waiting: 1 }), peer('shut.example', { state: 'blocked' })];
  fake = new FakeEngine().on('peers', () => ({ policy: 'open', addresses: [], peers })).on('judge_peer', () => undefined);
  useEngine(fake);
});
afterEach(cleanup);

const judged = () => fake.calls.flatMap((call) => (call.call === 'judge_peer' ? [`${call.name} ${call.act}`] : []));
const rows = (): string[] => screen.getAllByRole('button').map((button) => button.querySelector('.title')?.textContent ?? '').filter(Boolean);
const press = (name: string): Promise<boolean> => fireEvent.click(screen.getByRole('button', { name, hidden: true }));

describe('the owner’s page of other nodes', () => {
  it('has first what waits for a decision, with both keys, and hands it on', async () => {
    render(Peers);
    await waitFor(() => expect(rows()).toEqual(['other.example', 'calm.example', 'shut.example']));
    await fireEvent.click(screen.getByText('other.example'));
    for (const key of ['K1', 'K2']) expect(screen.queryByText(key)).not.toBeNull();
    peers = [peer('other.example', { key: 'K2' })];
    await press('The new key is theirs');
    expect(judged()).toEqual(['other.example accept_key']);
    // What has become of it is asked for at once.
    await waitFor(() => expect(rows()).toEqual(['other.example']));
  });

  it('blocks only after asking, and unblocks', async () => {
    render(Peers);
    await waitFor(() => expect(rows()).toHaveLength(3));
    await fireEvent.click(screen.getByText('calm.example'));
    await press('Block');
    expect(judged()).toEqual([]);
    await press('Block');
    await waitFor(() => expect(judged()).toEqual(['calm.example block']));
    await fireEvent.click(screen.getByText('shut.example'));
    await press('Unblock');
    expect(judged()).toEqual(['calm.example block', 'shut.example reset']);
  });

  it('says so to whoever may not see it', async () => {
    fake.on('peers', () => {
      throw fail('forbidden');
    });
    render(Peers);
    await waitFor(() => expect(screen.getByRole('alert').textContent).toContain('You may not do that.'));
  });
});
