import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, ME } from '../../engine/fake';
import { answerWallet, EUR, FakeBank, PIN } from '../../engine/fake-wallet';
import { useEngine } from '../../state/engine';
import { session } from '../../state/session.svelte';
import { freshId, wallet } from '../../state/wallet.svelte';
import { canWork, isAddress } from './passkey';
import PasskeyRow from './PasskeyRow.svelte';
import PinSheet from './PinSheet.svelte';

const BOB = { user: 'bob@home.example', name: 'Bob' };
const SECRET = new Uint8Array(32).fill(0xfb);
/** The same, as the engine reads it. */
const SAID = `${'-_v7'.repeat(10)}-_s`;
const KEPT = { id: 'Y3JlZA', salt: 'CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk', secret: SAID };

type Outputs = { prf?: { enabled?: boolean; results?: { first: ArrayBuffer } } };
const answer = (outputs: Outputs) => ({ id: KEPT.id, getClientExtensionResults: () => outputs });
const gives = (secret: Uint8Array): Outputs => ({ prf: { results: { first: Uint8Array.from(secret).buffer } } });
const cancelled = (): never => {
  throw new DOMException('no', 'NotAllowedError');
};

let bank: FakeBank;
let fake: FakeEngine;
let ondone: () => void;
const create = vi.fn();
const get = vi.fn();
beforeEach(async () => {
  HTMLDialogElement.prototype.showModal = vi.fn();
  HTMLDialogElement.prototype.close = vi.fn();
  bank = new FakeBank().define(EUR);
  bank.pin = PIN;
  bank.move({ id: 'i', purpose: 'issue', asset: 'eur', from: 'node', to: ME, amount: 10_000n });
  fake = answerWallet(new FakeEngine(), bank);
  useEngine(fake);
  session.me = { user: ME, name: 'alice', display_name: 'Alice', device: 'd', role: 'member', phrase_confirmed: true };
  create.mockReset().mockResolvedValue(answer({ prf: { enabled: true } }));
  get.mockReset().mockResolvedValue(answer(gives(SECRET)));
  vi.stubGlobal('isSecureContext', true);
  vi.stubGlobal('PublicKeyCredential', { getClientCapabilities: async () => ({ 'extension:prf': true }) });
  Object.defineProperty(navigator, 'credentials', { value: { create, get }, configurable: true });
  ondone = vi.fn();
  wallet.clear();
  await wallet.load();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  session.me = null;
});

function open(): void {
  const id = freshId();
  const onpin = async (pin: string): Promise<void> => void (await wallet.pay({ id, user: BOB.user, asset: 'eur', amount: '1234', note: '', hold: false, chat: null, request: null, refunds: null, pin }));
  render(PinSheet, { title: 'Pay', minor: '1234', asset: EUR, payee: BOB, onpin, ondone, onclose: () => undefined });
}
const button = (): HTMLElement | null => screen.queryByRole('button', { name: 'Use fingerprint, face or key', hidden: true });
const press = async (): Promise<boolean> => fireEvent.click(await waitFor(() => button() ?? expect.unreachable()));
const type = (pin: string): Promise<boolean> => fireEvent.input(screen.getByLabelText('Payment PIN'), { target: { value: pin } });
const alerts = (): string => screen.queryAllByRole('alert', { hidden: true }).map((alert) => alert.textContent).join();
const paid = (): bigint => bank.balance(BOB.user, 'eur');

describe('a payment with a passkey', () => {
  it('asks the browser for the kept one, and pays with what its PRF gives', async () => {
    bank.passkey = KEPT;
    open();
    await press();
    await waitFor(() => expect(ondone).toHaveBeenCalledOnce());
    expect(paid()).toBe(1_234n);
    const { publicKey } = get.mock.calls[0]?.[0] as CredentialRequestOptions;
    expect(publicKey).toMatchObject({ rpId: location.hostname, userVerification: 'required' });
    expect(new TextDecoder().decode(publicKey?.allowCredentials?.[0]?.id)).toBe('cred');
    expect(publicKey?.extensions?.prf?.eval?.first).toEqual(new Uint8Array(32).fill(9));
    expect(fake.calls.find(({ call }) => call === 'pay')).toMatchObject({ pin: `prf:${SAID}` });
  });

  it('says that the browser gave nothing, and takes the PIN', async () => {
    bank.passkey = KEPT;
    get.mockImplementation(cancelled);
    open();
    await press();
    await waitFor(() => expect(alerts()).toContain('could not confirm that it is you'));
    expect(fake.calls.some(({ call }) => call === 'pay')).toBe(false);
    await type(PIN);
    await waitFor(() => expect(paid()).toBe(1_234n));
  });

  it.each([
    ['another secret', gives(new Uint8Array(32).fill(1)), 'does not open your wallet'],
    ['one of another length', gives(new Uint8Array(31)), 'cannot do that'],
    ['none', {}, 'cannot do that'],
  ])('that gives %s pays nothing, and the PIN does', async (_, outputs, words) => {
    bank.passkey = KEPT;
    get.mockResolvedValue(answer(outputs));
    open();
    await press();
    await waitFor(() => expect(alerts()).toContain(words));
    expect([paid(), bank.wrong]).toEqual([0n, 0]);
    await type(PIN);
    await waitFor(() => expect(paid()).toBe(1_234n));
  });

  it('works while the PIN is locked', async () => {
    bank.passkey = KEPT;
    open();
    for (let wrong = 0; wrong < 5; wrong += 1) {
      await type('000001');
      await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>('Payment PIN').value).toBe(''));
    }
    await waitFor(() => expect(alerts()).toContain('1:00'));
    await press();
    await waitFor(() => expect(paid()).toBe(1_234n));
  });

  it('is not offered where there is none, and where it cannot work', async () => {
    open();
    await waitFor(() => expect(fake.calls.some(({ call }) => call === 'passkey')).toBe(true));
    expect(button()).toBeNull();
    cleanup();
    bank.passkey = KEPT;
    vi.stubGlobal('isSecureContext', false);
    open();
    await waitFor(() => expect(fake.calls.filter(({ call }) => call === 'passkey')).toHaveLength(2));
    expect(button()).toBeNull();
    expect(screen.getByLabelText('Payment PIN')).toBeTruthy();
  });
});

describe('the switch for it', () => {
  const row = (): Promise<HTMLInputElement> => screen.findByRole('switch', { hidden: true });
  const turn = async (): Promise<boolean> => fireEvent.click(await row());

  it('makes one once the PIN was typed, and keeps what the browser made when that was wrong', async () => {
    render(PasskeyRow);
    await turn();
    await type('000001');
    await waitFor(() => expect(alerts()).toContain('not your payment PIN'));
    await type(PIN);
    await waitFor(() => expect(bank.passkey?.secret).toBe(SAID));
    expect(create).toHaveBeenCalledOnce();
    const { publicKey } = create.mock.calls[0]?.[0] as CredentialCreationOptions;
    expect(publicKey).toMatchObject({ rp: { id: location.hostname }, attestation: 'none', authenticatorSelection: { userVerification: 'required' } });
    expect(bank.passkey).toMatchObject({ id: KEPT.id });
    await waitFor(async () => expect((await row()).checked).toBe(true));
    await turn();
    await waitFor(() => expect(bank.passkey).toBeNull());
    await waitFor(async () => expect((await row()).checked).toBe(false));
  });

  it('needs no second question where the first one was answered', async () => {
    create.mockResolvedValue(answer({ prf: { enabled: true, ...gives(SECRET).prf } }));
    render(PasskeyRow);
    await turn();
    await type(PIN);
    await waitFor(() => expect(bank.passkey?.secret).toBe(SAID));
    expect(get).not.toHaveBeenCalled();
  });

  it('says that a device has no PRF, and stays off', async () => {
    create.mockResolvedValue(answer({}));
    render(PasskeyRow);
    await turn();
    await type(PIN);
    await waitFor(() => expect(alerts()).toContain('cannot do that'));
    expect(bank.passkey).toBeNull();
    expect((await row()).checked).toBe(false);
  });

  it('is not there where it cannot work', async () => {
    vi.stubGlobal('PublicKeyCredential', { getClientCapabilities: async () => ({ 'extension:prf': false }) });
    expect(await canWork()).toBe(false);
    render(PasskeyRow);
    await waitFor(() => expect(fake.calls.some(({ call }) => call === 'passkey')).toBe(true));
    await new Promise((resolve) => setTimeout(resolve));
    expect(screen.queryByRole('switch', { hidden: true })).toBeNull();
    vi.stubGlobal('PublicKeyCredential', {});
    expect(await canWork(), 'older browsers say nothing').toBe(true);
  });

  it('knows an address from a name', () => {
    for (const host of ['127.0.0.1', '[::1]', '10.1.2.3']) expect(isAddress(host), host).toBe(true);
    for (const host of ['localhost', 'home.example', '1.example', 'cafe']) expect(isAddress(host), host).toBe(false);
  });
});
