import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The network of one browser: a proxy that everything goes through, of pages and workers alike. It lets only the node
 * pass, remembers what else was asked for, and can be cut like a cable.
 */
export class Tap {
  /** Hosts other than the node that something was asked of. Has to stay empty. */
  readonly foreign: string[] = [];
  readonly #node: URL;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #cut = false;

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
    const onward = request(url, { method: incoming.method, headers: incoming.headers }, (from) => {
      answer.writeHead(from.statusCode ?? 502, from.headers);
      from.pipe(answer);
    });
    onward.on('socket', (socket) => this.#keep(socket));
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
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
      node.pipe(client);
      client.pipe(node);
    });
    this.#keep(node);
    node.once('close', () => client.destroy());
    client.once('close', () => node.destroy());
  }
}
