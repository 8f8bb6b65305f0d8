/** The engine's face to JavaScript as src/wasm exports it; `$wasm` is what `make` builds into ./pkg. */
declare module '$wasm' {
  export default function init(source: { module_or_path: Promise<Response> | Response }): Promise<unknown>;
  export class WeftEngine {}
}

declare module '$wasm_url' {
  const url: string;
  export default url;
}
