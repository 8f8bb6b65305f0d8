import { asset } from '../client/http';
import type { Effect, Machine, Output, Row, Write } from './machine';
import init, { WeftEngine } from '$wasm';
import wasmUrl from '$wasm_url';

const ENTROPY_BYTES = 32;

export async function openMachine(rows: Row[], now: number): Promise<Machine> {
  await init({ module_or_path: asset(wasmUrl) });
  throw new Error(`${rows.length} ${now} ${ENTROPY_BYTES}`);
}
void (null as unknown as [Effect, Output, Write, typeof WeftEngine]);
