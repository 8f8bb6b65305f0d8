import { untrack } from 'svelte';
import { errorField, errorText } from './errors';

/** Something under way that a person waits for: at most once at a time, its error in words. */
export class Task {
  busy = $state(false);
  error = $state('');
  field = $state<string | null>(null);

  /** Runs it; whether it was done. `words` knows better what an error means here; none: the usual ones. */
  run(work: () => Promise<unknown>, words?: (error: unknown) => string | null): Promise<boolean> {
    // An effect that starts a task must not run again because the task has begun or ended.
    return untrack(() => this.#run(work, words));
  }

  async #run(work: () => Promise<unknown>, words?: (error: unknown) => string | null): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.clear();
    try {
      await work();
      return true;
    } catch (error) {
      this.error = words?.(error) ?? errorText(error);
      this.field = errorField(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  clear(): void {
    this.error = '';
    this.field = null;
  }

  /** The error, if it belongs under this field. */
  at(field: string): string | undefined {
    return this.error && this.field === field ? this.error : undefined;
  }

  /** The error, if it belongs under none of these. */
  besides(...fields: string[]): string {
    return this.field !== null && fields.includes(this.field) ? '' : this.error;
  }
}
