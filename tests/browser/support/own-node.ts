import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { WEFT } from './node.ts';

/** How a node reaches others on this machine alone. Its name is its key: nobody here answers for a domain. */
const FEDERATED = {
  WEFT_FEDERATION__POLICY: 'open',
  WEFT_FEDERATION__LISTEN: '/ip4/127.0.0.1/udp/0/quic-v1',
  WEFT_FEDERATION__ANNOUNCE_LISTENERS: 'true',
  WEFT_FEDERATION__MDNS: 'false',
  WEFT_FEDERATION__DISCOVERY: 'false',
};

/** A real node that speaks with others, and that can be away for a while. */
export class OwnNode {
  /** The same after every start. */
  url = '';
  readonly #folder: string;
  readonly #title: string;
  #process: ChildProcess | null = null;

  private constructor(folder: string, title: string) {
    this.#folder = folder;
    this.#title = title;
  }

  static async start(title: string): Promise<OwnNode> {
    const node = new OwnNode(await mkdtemp(join(tmpdir(), 'weft-node-')), title);
    await node.again();
    return node;
  }

  /** Starts it, on what it has kept and where it was before. */
  async again(): Promise<void> {
    const started = spawn(WEFT, ['run'], { cwd: this.#folder, env: this.#environment(), stdio: ['ignore', 'pipe', process.env['WEFT_SHOW_LOG'] ? 'inherit' : 'ignore'] });
    this.#process = started;
    for await (const line of createInterface({ input: started.stdout })) {
      const url = /^listening (http:\/\/\S+)/.exec(line)?.[1];
      if (!url) continue;
      this.url = url;
      // Nobody reads on: what it still says must not fill the pipe.
      started.stdout.resume();
      return;
    }
    throw new Error(`${WEFT} did not start`);
  }

  /** Ends it as its operator would. What it has kept stays. */
  async halt(): Promise<void> {
    const running = this.#process;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGTERM');
    await ended;
    this.#process = null;
  }

  /** It dies at once. What was on its disk stays. */
  kill(): void {
    this.#process?.kill('SIGKILL');
    this.#process = null;
  }

  /** A link by which people may sign up here; the first is the owner's. */
  async invite(): Promise<string> {
    const stdout = await this.#weft('invite');
    const fragment = /#\/i\/[\w-]+/.exec(stdout)?.[0];
    if (!fragment) throw new Error(`weft invite printed no link: ${stdout}`);
    return `${this.url}/${fragment}`;
  }

  /** What it is called: here its name is its key. */
  async name(): Promise<string> {
    return /^this node is (\S+)/.exec(await this.#weft('peer', 'list'))?.[1] ?? '';
  }

  /** The two operators sign terms: people of `other` may have so much of what this one issues. */
  async agree(other: OwnNode, asset: string, limit: string): Promise<void> {
    const [own, theirs] = [await this.name(), await other.name()];
    await this.#weft('peer', 'terms', 'propose', theirs, '--asset', `${asset}=${limit}`);
    for (let offer = ''; ; ) {
      offer = /terms accept \S+ ([0-9a-f]{64})/.exec(await other.#weft('peer', 'terms', 'show'))?.[1] ?? '';
      if (offer === '') continue;
      await other.#weft('peer', 'terms', 'accept', own, offer);
      break;
    }
    while (!(await this.#weft('peer', 'terms', 'show')).includes('in force')) continue;
  }

  /** Copies what it keeps, while it runs. */
  async backUp(): Promise<void> {
    await this.#weft('backup', this.#backup);
  }

  /** It lost its disk: what it kept since `backUp` is gone. */
  async loseDisk(): Promise<void> {
    await this.halt();
    await rm(join(this.#folder, 'data'), { recursive: true });
    await this.#weft('restore', this.#backup);
    await this.again();
  }

  async stop(): Promise<void> {
    await this.halt();
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #backup(): string {
    return join(this.#folder, 'backup');
  }

  async #weft(...args: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(WEFT, args, { cwd: this.#folder, env: this.#environment() });
    return stdout;
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      WEFT_NODE__TITLE: this.#title,
      WEFT_STORAGE__DATA: join(this.#folder, 'data'),
      WEFT_HTTP__LISTEN: this.url ? new URL(this.url).host : '127.0.0.1:0',
      WEFT_LIMITS__RATE_MULTIPLIER: '0',
      WEFT_LOG__FILTER: 'warn',
      ...FEDERATED,
    };
  }
}
