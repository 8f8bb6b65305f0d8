/** The only WebSocket of the UI: one connection to the own node, binary frames. */

export interface SocketEvents {
  opened(): void;
  frame(bytes: Uint8Array): void;
  /** Once for each {@link Socket.open}, unless it was followed by another open or a close of ours. */
  closed(): void;
}

/** How long an attempt may take before it counts as failed. */
const OPEN_WAIT_MS = 15_000;

export class Socket {
  readonly #events: SocketEvents;
  #current: WebSocket | null = null;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  /** Opens; one that is open is closed first. */
  open(path: string): void {
    this.close();
    const url = new URL(path, location.origin);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    this.#current = socket;
    const late = setTimeout(() => this.#lost(socket), OPEN_WAIT_MS);
    socket.onopen = () => {
      clearTimeout(late);
      if (this.#current === socket) this.#events.opened();
    };
    socket.onmessage = (message: MessageEvent<unknown>) => {
      if (this.#current === socket && message.data instanceof ArrayBuffer) this.#events.frame(new Uint8Array(message.data));
    };
    socket.onclose = () => {
      clearTimeout(late);
      this.#lost(socket);
    };
  }

  /** Lost when nothing is open; the engine sends it again when it has connected. */
  send(frame: Uint8Array): void {
    if (this.#current?.readyState === WebSocket.OPEN) this.#current.send(frame as Uint8Array<ArrayBuffer>);
  }

  close(): void {
    const socket = this.#current;
    this.#current = null;
    socket?.close();
  }

  /** The network is gone: a socket may take minutes to notice by itself. */
  drop(): void {
    if (this.#current) this.#lost(this.#current);
  }

  #lost(socket: WebSocket): void {
    if (this.#current !== socket) return;
    this.#current = null;
    socket.close();
    this.#events.closed();
  }
}
