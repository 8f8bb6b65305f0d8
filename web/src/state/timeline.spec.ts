import { describe, expect, it } from 'vitest';
import { FakeEngine, message } from '../engine/fake';
import { useEngine } from './engine';
import { Timeline } from './timeline.svelte';

const all = Array.from({ length: 250 }, (_, index) => message(`m${index}`, index + 1));

function engine(): FakeEngine {
  const fake = new FakeEngine().on('messages', ({ chat, before, limit }) => {
    const older = all.filter((one) => before === null || one.order < before);
    return { chat, messages: older.slice(-limit), more: older.length > limit };
  });
  useEngine(fake);
  return fake;
}

async function loaded(): Promise<Timeline> {
  const timeline = new Timeline('c');
  await timeline.load();
  return timeline;
}

const ids = (timeline: Timeline): string[] => timeline.messages.map((one) => one.id);

describe('a timeline', () => {
  it('begins with the newest page and goes back a page at a time', async () => {
    const fake = engine();
    const timeline = await loaded();
    expect(ids(timeline).at(0)).toBe('m190');
    expect(timeline.shift).toBe(false);
    await Promise.all([timeline.loadOlder(), timeline.loadOlder()]);
    expect(fake.calls).toHaveLength(2);
    expect(timeline.shift).toBe(true);
    expect(timeline.messages).toEqual(all);
    expect(timeline.more).toBe(false);
  });

  it('puts new messages at the end and changed ones in their place', async () => {
    engine();
    const timeline = await loaded();
    timeline.merge([message('new', 1_000, { mine: true, delivery: 'sending' })]);
    expect(ids(timeline).at(-1)).toBe('new');
    timeline.merge([message('other', 260), message('new', 261, { mine: true, delivery: 'sent' })]);
    expect(ids(timeline).slice(-2)).toEqual(['other', 'new']);
    expect(timeline.messages.at(-1)?.delivery).toBe('sent');
    expect(new Set(ids(timeline)).size).toBe(timeline.messages.length);
  });

  it('keeps what is heard while a page is on its way, which may be from before', async () => {
    let answer: (() => void) | undefined;
    const fake = new FakeEngine().on('messages', async ({ chat, before, limit }) => {
      const older = all.filter((one) => before === null || one.order < before);
      await new Promise<void>((resolve) => (answer = resolve));
      return { chat, messages: older.slice(-limit), more: older.length > limit };
    });
    useEngine(fake);
    const timeline = new Timeline('c');
    const says = (...messages: ReturnType<typeof message>[]): void => timeline.heard({ event: 'messages', value: { chat: 'c', messages } });
    // When the chat opens, when the engine was restarted, and on the way back.
    const first = timeline.load();
    says(message('new', 300));
    answer?.();
    await first;
    expect(ids(timeline).at(-1)).toBe('new');
    const again = timeline.load();
    says(message('new', 300), message('newer', 301));
    answer?.();
    await again;
    expect(ids(timeline).slice(-2)).toEqual(['new', 'newer']);
    const older = timeline.loadOlder();
    says(message('m150', 151, { text: 'changed' }));
    answer?.();
    await older;
    expect(timeline.messages.find((one) => one.id === 'm150')?.body).toEqual(message('m150', 151, { text: 'changed' }).body);
    expect(timeline.shift).toBe(true);
  });

  it('leaves messages older than what is at hand to their page', async () => {
    engine();
    const timeline = await loaded();
    timeline.merge([message('m3', 4, { text: 'changed' })]);
    expect(ids(timeline).at(0)).toBe('m190');
  });

  it('reaches back to the first unread message of others', async () => {
    engine();
    const timeline = await loaded();
    const index = await timeline.reachUnread(20);
    expect(timeline.messages[index ?? -1]?.id).toBe('m20');
    expect(await timeline.reachUnread(250)).toBeNull();
  });

  it('reaches a message that is answered, and says when it is gone', async () => {
    engine();
    const timeline = await loaded();
    const index = await timeline.reach('m1');
    expect(timeline.messages[index ?? -1]?.id).toBe('m1');
    expect(await timeline.reach('nowhere')).toBeNull();
  });

  it('drops a discarded message of its own chat only', async () => {
    engine();
    const timeline = await loaded();
    timeline.heard({ event: 'message_discarded', value: { chat: 'other', id: 'm249' } });
    expect(timeline.messages).toHaveLength(60);
    timeline.heard({ event: 'message_discarded', value: { chat: 'c', id: 'm249' } });
    expect(ids(timeline)).not.toContain('m249');
  });
});
