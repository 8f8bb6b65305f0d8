import { errorText } from '../../state/errors';

/** So many pages are read back to a time; where more happens one sees less far. */
export const REACH_PAGES = 40;

/** What is read page by page, the newest first, and how far the reading is. */
export class Reading {
  more = $state(true);
  loaded = $state(false);
  busy = $state(false);
  error = $state('');
  #last: Promise<unknown> = Promise.resolve();

  /** One after the other: a page that is asked for twice would stand there twice. */
  protected queue(work: () => Promise<void>): Promise<void> {
    const run = this.#last.then(async () => {
      this.busy = true;
      try {
        await work();
        this.error = '';
      } catch (error) {
        this.error = errorText(error);
      } finally {
        this.busy = false;
      }
    });
    this.#last = run;
    return run;
  }
}

/** A list of which the node gives a page at a time. */
export class Pages<T> extends Reading {
  list = $state.raw<readonly T[]>([]);

  /** `read`: what is older than this one, or the newest; and whether there is more. */
  constructor(readonly read: (after: T | null) => Promise<{ page: readonly T[]; more: boolean }>) {
    super();
  }

  /** Something changed: from the start again. */
  refresh(): Promise<void> {
    return this.queue(() => this.#take([]));
  }

  /** The next page of older ones. */
  next(): Promise<void> {
    return this.queue(async () => {
      if (!this.loaded || this.more) await this.#take(this.list);
    });
  }

  async #take(before: readonly T[]): Promise<void> {
    const { page, more } = await this.read(before.at(-1) ?? null);
    this.list = [...before, ...page];
    this.more = more && page.length > 0;
    this.loaded = true;
  }
}
