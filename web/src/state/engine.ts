import type { Engine } from '../engine/calls';

let current: Engine | null = null;

/** Set once, when the application starts; a test sets its own. */
export function useEngine(engine: Engine): void {
  current = engine;
}

/** The engine that all state asks. */
export function engine(): Engine {
  if (!current) throw new Error('useEngine was not called');
  return current;
}
