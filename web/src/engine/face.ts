import init, { WeftEngine } from '$wasm';
import wasmUrl from '$wasm_url';
import { asset } from '../client/http';
import type { Machine, Row } from './machine';

/** What the engine's own random numbers grow from; fresh for each run. */
const ENTROPY_BYTES = 32;

/** Opens the engine on what was kept. Throws when that cannot be opened. */
export async function openMachine(rows: Row[], now: number): Promise<Machine> {
  await init({ module_or_path: asset(wasmUrl) });
  const entropy = crypto.getRandomValues(new Uint8Array(ENTROPY_BYTES));
  const machine = WeftEngine.open(entropy, now, rows);
  entropy.fill(0);
  return machine;
}
