import { beforeEach, describe, expect, it } from 'vitest';
import { chat, FakeEngine } from '../engine/fake';
import { chats } from './chats.svelte';
import { useEngine } from './engine';

let fake: FakeEngine;
beforeEach(async () => {
  fake = new FakeEngine().on('chats', () => [chat('b', 'Bob', { active_ms: 1, unread: 2 }), chat('c', 'Carol', { active_ms: 2, unread: 1 })]).on('set_draft', () => undefined);
  useEngine(fake);
  await chats.load();
});
/** What was asked of the engine is answered. */
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
const drafts = (): string[] => fake.calls.flatMap((call) => (call.call === 'set_draft' ? [`${call.chat} ${call.text}`] : []));

describe('the list of chats', () => {
  it('has the newest first and counts what was not read', () => {
    expect(chats.list.map((one) => one.title)).toEqual(['Carol', 'Bob']);
    expect(chats.unread).toBe(3);
    chats.heard({ event: 'chat', value: chat('b', 'Bob', { active_ms: 3 }) });
    expect(chats.list.map((one) => one.title)).toEqual(['Bob', 'Carol']);
    expect(chats.unread).toBe(1);
  });

  it('keeps a draft with every key, so that nothing is lost with the page', () => {
    for (const text of ['h', 'he', 'hel']) chats.draft('chat-b', text);
    expect(drafts()).toEqual(['chat-b h', 'chat-b he', 'chat-b hel']);
    expect(chats.get('chat-b')?.draft).toBe('hel');
  });

  it('goes on keeping after a draft that could not be kept', async () => {
    fake.on('set_draft', () => Promise.reject(new Error('the engine was restarted')));
    chats.draft('chat-b', 'lost');
    await settled();
    chats.draft('chat-b', 'lost and found');
    expect(drafts()).toEqual(['chat-b lost', 'chat-b lost and found']);
  });
});
