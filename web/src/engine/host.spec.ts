import { describe, expect, it, vi } from 'vitest';
import { EngineHost, type Parts } from './host';
import type { Effect, Machine, Output, Write } from './machine';

const NOTHING: Output = { writes: [], effects: [] };
const put = (name: string): Write => ({ write: 'put', space: 'state', key: new TextEncoder().encode(name), value: new Uint8Array([1]) });
const name = (write: Write): string => (write.write === 'put' ? new TextDecoder().decode(write.key) : write.write);

/** A machine that answers what the test says, and a host whose disk the test holds back. */
function setUp(script: Partial<Machine> = {}) {
  const log: string[] = [];
  const disk: { finish: () => void; fail: (cause: Error) => void }[] = [];
  const machine = new Proxy(script as Machine, { get: (known, method) => Reflect.get(known, method) ?? (() => NOTHING) });
  const parts: Parts = {
    machine,
    commit: (writes) =>
      new Promise((finish, fail) => {
        log.push(`commit ${writes.map(name).join(' ')}`);
        disk.push({ finish, fail });
      }),
    readHistory: async () => [],
    request: vi.fn(async () => ({ status: 200, body: new Uint8Array() })),
    socket: { open: () => log.push('open'), send: (frame) => log.push(`send ${frame[0]}`), close: () => log.push('close') },
    now: () => 1_000,
    event: (event) => log.push(`event ${event.event}`),
    failed: (code) => log.push(`failed ${code}`),
  };
  return { host: new EngineHost(parts), log, disk, parts };
}

const sent = (byte: number): Effect => ({ effect: 'socket_send', bytes: new Uint8Array([byte]) });
const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

describe('the host', () => {
  it('carries effects out only once the writes are on the disk', async () => {
    const { host, log, disk } = setUp({ socket_opened: () => ({ writes: [put('a')], effects: [sent(1)] }) });
    host.opened();
    await settle();
    expect(log).toEqual(['commit a']);
    disk[0]?.finish();
    await settle();
    expect(log).toEqual(['commit a', 'send 1']);
  });

  it('keeps outputs in order: one without writes waits for the one before it', async () => {
    const { host, log, disk } = setUp({ socket_opened: () => ({ writes: [put('a')], effects: [sent(1)] }), socket_closed: () => ({ writes: [], effects: [sent(2)] }) });
    host.opened();
    host.closed();
    await settle();
    expect(log).toEqual(['commit a']);
    disk[0]?.finish();
    await settle();
    expect(log).toEqual(['commit a', 'send 1', 'send 2']);
  });

  it('gathers what comes while the disk is busy into the next transaction', async () => {
    let count = 0;
    const { host, log, disk } = setUp({ socket_frame: () => ({ writes: [put(`f${++count}`)], effects: [sent(count)] }) });
    for (let frame = 0; frame < 3; frame += 1) host.frame(new Uint8Array());
    await settle();
    disk[0]?.finish();
    await settle();
    expect(log).toEqual(['commit f1', 'send 1', 'commit f2 f3']);
    disk[1]?.finish();
    await settle();
    expect(log.slice(3)).toEqual(['send 2', 'send 3']);
  });

  it('says nothing more once the disk refused', async () => {
    const { host, log, disk } = setUp({ socket_opened: () => ({ writes: [put('a')], effects: [sent(1)] }) });
    host.opened();
    await settle();
    const answer = host.call({ call: 'me' });
    disk[0]?.fail(new Error('full'));
    expect(await answer).toMatchObject({ error: { code: 'engine_restarted' } });
    expect(log).toEqual(['commit a', 'close', 'failed storage']);
    expect(await host.call({ call: 'me' })).toMatchObject({ error: { code: 'engine_restarted' } });
  });

  it('answers a call by its id, with a reply or an error', async () => {
    const answers = [JSON.stringify({ reply: 'me', value: null }), undefined];
    const { host } = setUp({
      handle_call: (_now, id) => {
        const ok = answers.shift();
        return { writes: [], effects: [ok ? { effect: 'reply', id, ok } : { effect: 'reply', id, err: '{"code":"offline","message":"","field":null,"retry_after_ms":null}' }] };
      },
    });
    expect(await host.call({ call: 'me' })).toEqual({ reply: { reply: 'me', value: null } });
    expect(await host.call({ call: 'node' })).toMatchObject({ error: { code: 'offline' } });
  });

  it('tells the engine of an answer, and of none', async () => {
    const handle_response = vi.fn(() => NOTHING);
    const handle_no_answer = vi.fn(() => NOTHING);
    const ask = (): Output => ({ writes: [], effects: [{ effect: 'request', ticket: 7, method: 'GET', path: '/api/v1/node' }] });
    const { host, parts } = setUp({ socket_opened: ask, handle_response, handle_no_answer });
    host.opened();
    await settle();
    expect(handle_response).toHaveBeenCalledWith(1_000, 7, 200, new Uint8Array());
    vi.mocked(parts.request).mockRejectedValueOnce(new TypeError('no network'));
    host.opened();
    await settle();
    expect(handle_no_answer).toHaveBeenCalledWith(1_000, 7);
  });

  it('ticks when the engine wished it, unless something came before', async () => {
    vi.useFakeTimers();
    const tick = vi.fn<Machine['tick']>(() => NOTHING);
    const { host } = setUp({ tick, socket_opened: () => ({ ...NOTHING, wake_ms: 1_500 }), socket_closed: () => ({ ...NOTHING, wake_ms: 3_000 }) });
    expect(tick).toHaveBeenCalledTimes(1);
    host.opened();
    host.closed();
    vi.advanceTimersByTime(1_999);
    expect(tick).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(tick).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
  });

  it('stops for good when the engine breaks', async () => {
    const { host, log } = setUp({
      socket_frame: () => {
        throw new WebAssembly.RuntimeError('unreachable');
      },
      socket_opened: () => ({ writes: [], effects: [sent(1)] }),
    });
    host.frame(new Uint8Array());
    host.opened();
    await settle();
    expect(log).toEqual(['close', 'failed broken']);
  });
});
