import { tick } from 'svelte';

/** Which fields of a form say what is wrong with them: those that were left, and all of them once somebody has tried to send it. */
export class Shown {
  tried = $state(false);
  #left = $state<Record<string, true>>({});

  /** For `onblur`. */
  leave(field: string): void {
    this.#left[field] = true;
  }

  /** What is wrong with a field, if it is to be said by now. */
  at(field: string, error: string | undefined): string | undefined {
    return this.tried || this.#left[field] ? error : undefined;
  }

  /** It was tried: all that is wrong is said, and the first of it has the focus. `event`: the form's. */
  async turn(event: Event): Promise<void> {
    this.tried = true;
    await toWrong(event);
  }

  clear(): void {
    this.tried = false;
    this.#left = {};
  }
}

/** Moves to the first field of a form that is marked as wrong, also where it is folded away. */
export async function toWrong({ target }: Event): Promise<void> {
  await tick();
  const field = target instanceof HTMLElement ? target.querySelector<HTMLElement>('[aria-invalid="true"]') : null;
  if (!field) return;
  for (let fold = field.closest('details'); fold; fold = fold.parentElement?.closest('details') ?? null) fold.open = true;
  field.focus();
  // With what is said below it.
  (field.closest('.field') ?? field).scrollIntoView({ block: 'nearest' });
}
