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
