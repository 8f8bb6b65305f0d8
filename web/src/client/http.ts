/** The only `fetch` of the UI. Everything goes to the node that served this page, and to no other host. */

const ANSWER_WAIT_MS = 30_000;
/** Above the largest answer that a node gives; a larger one is not read. */
const ANSWER_BYTES_MAX = 8 << 20;

export interface Request {
  method: string;
  /** Path and query below the node's address. */
  path: string;
  token?: string | null;
  body?: Uint8Array | null;
}

export interface Answer {
  status: number;
  body: Uint8Array;
}

/** Resolves with whatever status the node gave; rejects when no whole answer came in time. */
export async function request({ method, path, token, body }: Request): Promise<Answer> {
  if (!path.startsWith('/') || path.startsWith('//')) throw new TypeError('not a path of the node');
  const headers = new Headers({ accept: 'application/cbor' });
  if (token) headers.set('authorization', `Bearer ${token}`);
  if (body) headers.set('content-type', 'application/cbor');
  const answer = await fetch(new URL(path, location.origin), {
    method,
    headers,
    body: (body ?? null) as Uint8Array<ArrayBuffer> | null,
    credentials: 'omit',
    cache: 'no-store',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(ANSWER_WAIT_MS),
  });
  return { status: answer.status, body: await bounded(answer) };
}

async function bounded(answer: Response): Promise<Uint8Array> {
  if (Number(answer.headers.get('content-length') ?? 0) > ANSWER_BYTES_MAX) throw new RangeError('the answer is too large');
  const bytes = new Uint8Array(await answer.arrayBuffer());
  if (bytes.length > ANSWER_BYTES_MAX) throw new RangeError('the answer is too large');
  return bytes;
}

/** A file of this very build, for `WebAssembly.instantiateStreaming`. */
export function asset(url: string): Promise<Response> {
  return fetch(new URL(url, location.origin), { credentials: 'omit' });
}
