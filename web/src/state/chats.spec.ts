import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { chat, FakeEngine } from '../engine/fake';
import { chats } from './chats.svelte';
import { useEngine } from './engine';

let fake: FakeEngine;
beforeEach(async () => {
  vi.useFakeTimers();
  fake = new FakeEngine().on('chats', () => [chat('b', 'Bob', { active_ms: 1, unread: 2 }), chat('c', 'Carol', { active_ms: 2, unread: 1 })]).on('set_draft', () => undefined);
  useEngine(fake);
  await chats.load();
});
afterEach(() => vi.useRealTimers());

const drafts = (): string[] => fake.calls.flatMap((call) => (call.call === 'set_draft' ? [`${call.chat} ${call.text}`] : []));

describe('the list of chats', () => {
  it('has the newest first and counts what was not read', () => {
    expect(chats.list.map((one) => one.title)).toEqual(['Carol', 'Bob']);
    expect(chats.unread).toBe(3);
    chats.heard({ event: 'chat', value: chat('b', 'Bob', { active_ms: 3 }) });
    expect(chats.list.map((one) => one.title)).toEqual(['Bob', 'Carol']);
    expect(chats.unread).toBe(1);
  });

  it('keeps a draft shortly after the last key, once', () => {
    chats.draft('chat-b', 'h');
    chats.draft('chat-b', 'he');
    expect(drafts()).toEqual([]);
    vi.advanceTimersByTime(300);
    expect(drafts()).toEqual(['chat-b he']);
    expect(chats.get('chat-b')?.draft).toBe('he');
  });

  it('keeps the draft of somebody who types without a pause', () => {
    for (let typed = 1; typed <= 10; typed += 1) {
      chats.draft('chat-b', 'x'.repeat(typed));
      vi.advanceTimersByTime(100);
    }
    expect(drafts().length).toBeGreaterThanOrEqual(3);
  });

  it('keeps all drafts at once when the page is left', () => {
    chats.draft('chat-b', 'one');
    chats.draft('chat-c', 'two');
    chats.flushDrafts();
    expect(drafts()).toEqual(['chat-b one', 'chat-c two']);
    vi.advanceTimersByTime(1_000);
    expect(drafts()).toHaveLength(2);
  });
});
