/** The engine's face to JavaScript as src/wasm exports it; `$wasm` is what `make` builds into ./pkg. */
declare module '$wasm' {
  import type { Machine, Row } from './machine';

  export default function init(source: { module_or_path: Promise<Response> | Response }): Promise<unknown>;
  export const WeftEngine: {
    open(entropy: Uint8Array, now: number, rows: Row[]): Machine;
  };
}

declare module '$wasm_url' {
  const url: string;
  export default url;
}
