import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** The binary under test. */
const WEFT = process.env['WEFT_BIN'] ?? join(import.meta.dirname, '../../../target/debug/weft');
const run = promisify(execFile);

/** A real node with a data folder of its own, on a free port. */
export class Node {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(url: string, process: ChildProcess, folder: string, env: NodeJS.ProcessEnv) {
    this.url = url;
    this.#process = process;
    this.#folder = folder;
    this.#env = env;
  }

  static async start(settings: Record<string, string> = {}): Promise<Node> {
    const folder = await mkdtemp(join(tmpdir(), 'weft-browser-'));
    const env = {
      PATH: process.env['PATH'],
      HOME: folder,
      WEFT_STORAGE__DATA: join(folder, 'data'),
      WEFT_HTTP__LISTEN: '["127.0.0.1:0"]',
      WEFT_NODE__NAME: 'home.example',
      WEFT_NODE__TITLE: 'Lindenhof',
      // The stories do in a minute what people do in a week.
      WEFT_LIMITS__RATE_MULTIPLIER: '0',
      WEFT_LOG__FILTER: 'warn',
      ...settings,
    };
    const child = spawn(WEFT, ['run'], { env, cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    return new Node(await listening(child), child, folder, env);
  }

  /** A link by which people may sign up here; as long as nobody owns the node, the owner's. */
  async invite(): Promise<string> {
    const { stdout } = await run(WEFT, ['invite'], { env: this.#env, cwd: this.#folder });
    const fragment = /#\/i\/[\w-]+/.exec(stdout)?.[0];
    if (!fragment) throw new Error(`weft invite printed no link: ${stdout}`);
    return `${this.url}/${fragment}`;
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const said: string[] = [];
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the node ended with ${code} before it listened:\n${said.join('\n')}`)));
    if (!child.stdout || !child.stderr) throw new Error('no output to read');
    createInterface({ input: child.stderr }).on('line', (line) => {
      said.push(line);
      if (process.env['WEFT_SHOW_LOG']) console.error(line);
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /^listening (http:\/\/\S+)/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
}
