import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SOURCE = join(import.meta.dirname, 'clock.c');
const DAY_MS = 86_400_000;

/** The clocks of one node, which a story can turn on while it runs. */
export class Clock {
  readonly #folder: string;
  #ahead = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<Clock> {
    const clock = new Clock(await mkdtemp(join(tmpdir(), 'weft-clock-')));
    await clock.#write();
    await promisify(execFile)('cc', ['-shared', '-fPIC', '-O1', '-o', clock.#library, SOURCE, '-ldl']);
    return clock;
  }

  /** For the node that goes by it. */
  get settings(): Record<string, string> {
    return { LD_PRELOAD: this.#library, WEFT_TEST_CLOCK: this.#file };
  }

  async pass(days: number): Promise<void> {
    await this.passMs(days * DAY_MS);
  }

  async passMs(time: number): Promise<void> {
    this.#ahead += time;
    await this.#write();
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  get #file(): string {
    return join(this.#folder, 'ahead');
  }

  get #library(): string {
    return join(this.#folder, 'clock.so');
  }

  /** In place: the node has it mapped. */
  async #write(): Promise<void> {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(this.#ahead));
    await writeFile(this.#file, bytes, { flag: this.#ahead === 0 ? 'w' : 'r+' });
  }
}
