import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

const TARGET = join(import.meta.dirname, '../../../target/debug');
/** The binary under test. */
export const WEFT = process.env['WEFT_BIN'] ?? join(TARGET, 'weft');
/** What starts it for tests in every language: `src/testkit`. */
const TESTKIT = process.env['WEFT_TESTKIT'] ?? join(TARGET, 'weft-testkit');

type Answer = { node?: { node: number; url: string; metrics: string | null }; link?: string; log?: string; error?: string };

/** A real node with a data folder of its own, on a free port. */
export class Node {
  readonly url: string;
  /** Where its numbers are, as Prometheus reads them. */
  readonly metrics: string;
  /** What is to be done once it has ended. */
  onStopped: () => Promise<void> = async () => undefined;
  readonly #number: number;
  readonly #testkit: Testkit;

  private constructor(testkit: Testkit, number: number, url: string, metrics: string) {
    this.url = url;
    this.metrics = metrics;
    this.#number = number;
    this.#testkit = testkit;
  }

  static async start(settings: Record<string, string> = {}): Promise<Node> {
    const variables = {
      WEFT_NODE__NAME: 'home.example',
      WEFT_NODE__TITLE: 'Lindenhof',
      WEFT_LOG__FILTER: 'warn',
      WEFT_HTTP__METRICS_LISTEN: '["127.0.0.1:0"]',
      ...settings,
    };
    const testkit = new Testkit();
    const { node } = await testkit.ask({ start: { binary: WEFT, variables } });
    if (!node?.metrics) throw new Error('the node did not start');
    return new Node(testkit, node.node, node.url, node.metrics);
  }

  /** A link by which people may sign up here; as long as nobody owns the node, the owner's. */
  async invite(): Promise<string> {
    const { link } = await this.#testkit.ask({ invite: { node: this.#number } });
    const fragment = /#\/i\/[\w-]+/.exec(link ?? '')?.[0];
    if (!fragment) throw new Error(`weft invite printed no link: ${link}`);
    return `${this.url}/${fragment}`;
  }

  async stop(): Promise<void> {
    if (process.env['WEFT_SHOW_LOG']) console.error((await this.#testkit.ask({ log: { node: this.#number } })).log);
    await this.#testkit.ask({ stop: { node: this.#number } });
    await this.#testkit.end();
    await this.onStopped();
  }
}

/** The process that starts nodes: one JSON line for each request, one for each answer, in order. */
class Testkit {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.#process = spawn(TESTKIT, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  ask(request: object): Promise<Answer> {
    const answer = this.#last.then(async () => {
      this.#process.stdin.write(`${JSON.stringify(request)}\n`);
      const line = await this.#lines.next();
      if (line.done) throw new Error(`${TESTKIT} ended`);
      const said = JSON.parse(line.value) as Answer | 'done';
      const answer = said === 'done' ? {} : said;
      if (answer.error) throw new Error(answer.error);
      return answer;
    });
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    await ended;
  }
}
