import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The network of one browser: a proxy that everything goes through, of pages and workers alike. It lets only the node
 * pass, remembers what else was asked for, can be cut like a cable, and can be made to lie.
 */
export class Tap {
  /** Hosts other than the node that something was asked of. Has to stay empty. */
  readonly foreign: string[] = [];
  /** Changes what the browser sends to a path below the node, on its way. */
  onRequest: ((path: string, body: Buffer) => Buffer) | null = null;
  /** Changes what the node answers. */
  onAnswer: ((path: string, body: Buffer) => Buffer) | null = null;
  /** Changes what the node says on the socket. The length has to stay: the bytes lie in frames. */
  onFrames: ((bytes: Buffer) => Buffer) | null = null;
  readonly #node: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;
  /** Connections that were refused while the cable was cut. */
  refused = 0;

  private constructor(node: string) {
    this.#node = new URL(node);
    this.#server = createServer((incoming, answer) => this.#forward(incoming, answer));
    this.#server.on('connect', (incoming, client) => this.#tunnel(incoming, client));
    this.#server.on('connection', (socket) => this.#keep(socket));
  }

  static async open(node: string): Promise<Tap> {
    const tap = new Tap(node);
    await new Promise<void>((resolve) => tap.#server.listen(0, '127.0.0.1', resolve));
    return tap;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Pulls the cable: what is open breaks, what is new fails. */
  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): void {
    if (this.#cut) {
      this.refused += 1;
      socket.destroy();
      return;
    }
    // A connection that is kept alive carries one request after another.
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #allowed(host: string | undefined): boolean {
    if (host === this.#node.host) return true;
    this.foreign.push(host ?? 'nowhere');
    return false;
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const url = new URL(incoming.url ?? '/', this.#node);
    if (!this.#allowed(url.host)) {
      answer.writeHead(502).end();
      return;
    }
    const { onRequest, onAnswer } = this;
    const headers = { ...incoming.headers };
    // What is to be changed has to be plain.
    if (onAnswer) delete headers['accept-encoding'];
    const onward = request(url, { method: incoming.method, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      if (onAnswer) void whole(from).then((body) => answer.end(onAnswer(url.pathname, body)));
      else from.pipe(answer);
    });
    onward.on('socket', (socket) => this.#keep(socket));
    onward.on('error', () => answer.destroy());
    if (onRequest) void whole(incoming).then((body) => onward.end(onRequest(url.pathname, body)));
    else incoming.pipe(onward);
  }

  /** Sockets come this way. */
  #tunnel(incoming: IncomingMessage, client: Duplex): void {
    client.on('error', () => client.destroy());
    if (!this.#allowed(incoming.url)) {
      client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
      return;
    }
    const node = connect(Number(this.#node.port), this.#node.hostname, () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n');
      node.on('data', (bytes) => void client.write(this.onFrames?.(bytes) ?? bytes));
      node.on('end', () => client.end());
      client.pipe(node);
    });
    this.#keep(node);
    node.once('close', () => client.destroy());
    client.once('close', () => node.destroy());
  }
}

/** All of a body. One that breaks off is never passed on: the connection ends without it. */
function whole(message: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const parts: Buffer[] = [];
    message.on('data', (part: Buffer) => parts.push(part));
    message.on('end', () => resolve(Buffer.concat(parts)));
  });
}
