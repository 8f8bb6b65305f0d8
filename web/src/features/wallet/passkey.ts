import { m } from '$messages/messages';
import type { PasskeyView } from '../../wire/PasskeyView';

/** The browser asks for a finger, a face or a key so long. */
const TIMEOUT_MS = 120_000;
const SALT_BYTES = 32;
const SECRET_BYTES = 32;

/** A new passkey, and what its PRF gives for its salt; all in base64url. */
export interface Made extends PasskeyView {
  secret: string;
}

/** The browser gave nothing: the person has changed their mind, or what would have to answer is gone; or it cannot do it at all. */
export class PasskeyFailed extends Error {
  constructor(readonly why: 'refused' | 'unable') {
    super(why);
    this.name = 'PasskeyFailed';
  }
}

/** In words; none: it is another error. */
export function passkeyError(failure: unknown): string | null {
  if (!(failure instanceof PasskeyFailed)) return null;
  return failure.why === 'refused' ? m.passkey_refused() : m.passkey_unable();
}

/** Whether a passkey can work here, as far as a browser says so beforehand. A passkey belongs to a name: an address has none. */
export async function canWork(): Promise<boolean> {
  if (!globalThis.isSecureContext || !('PublicKeyCredential' in globalThis) || isAddress(location.hostname)) return false;
  try {
    // Older browsers cannot be asked, and say it only in the end.
    return (await PublicKeyCredential.getClientCapabilities?.())?.['extension:prf'] !== false;
  } catch {
    return true;
  }
}

/** Whether a host is an IP address, as URLs write it. */
export function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host) || host.includes(':');
}

/** Has the browser make one, for this device of this person. */
export async function makePasskey(me: { user: string; display_name: string; device: string }): Promise<Made> {
  const salt = random(SALT_BYTES);
  // The same for each of one device, so that an authenticator keeps one; another for each device, so that none takes that of another.
  const handle = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`weft/passkey/${me.user}/${me.device}`));
  const made = await asked(() =>
    navigator.credentials.create({
      publicKey: {
        rp: { id: location.hostname, name: 'Weft' },
        user: { id: handle, name: me.user, displayName: me.display_name },
        // Nobody checks what it signs: what counts is what its PRF gives.
        challenge: random(32),
        pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
        // Android gives a PRF only to those that it keeps itself.
        authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
        attestation: 'none',
        timeout: TIMEOUT_MS,
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const { prf } = made.getClientExtensionResults();
  if (!prf?.enabled) throw new PasskeyFailed('unable');
  const view = { id: made.id, salt: base64url(salt) };
  // Most tell it only to those who ask a second time.
  return { ...view, secret: prf.results ? secretOf(prf.results.first) : await askPasskey(view) };
}

/** Asks for what the PRF of a passkey gives. */
export async function askPasskey({ id, salt }: PasskeyView): Promise<string> {
  const found = await asked(() =>
    navigator.credentials.get({
      publicKey: {
        rpId: location.hostname,
        challenge: random(32),
        allowCredentials: [{ type: 'public-key', id: bytes(id) }],
        userVerification: 'required',
        timeout: TIMEOUT_MS,
        extensions: { prf: { eval: { first: bytes(salt) } } },
      },
    }),
  );
  const results = found.getClientExtensionResults().prf?.results;
  if (!results) throw new PasskeyFailed('unable');
  return secretOf(results.first);
}

async function asked(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  try {
    const answer = await ask();
    if (answer) return answer as PublicKeyCredential;
  } catch (error) {
    // What a browser says when somebody closes its sheet, when time is up, and when there is no such passkey.
    const refused = error instanceof DOMException && (error.name === 'NotAllowedError' || error.name === 'AbortError');
    throw new PasskeyFailed(refused ? 'refused' : 'unable');
  }
  throw new PasskeyFailed('refused');
}

function secretOf(source: BufferSource): string {
  const secret = ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
  if (secret.length !== SECRET_BYTES) throw new PasskeyFailed('unable');
  return base64url(secret);
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

function base64url(from: Uint8Array): string {
  return btoa(String.fromCharCode(...from)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0));
}
