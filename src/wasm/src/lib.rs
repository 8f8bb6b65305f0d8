//! The engine's face to JavaScript. Everything behind it is [`weft_engine`]; here values only change their form.
//!
//! ```text
//! const engine = WeftEngine.open(entropy, Date.now(), rows)   // entropy: 32 fresh bytes; rows: [key, value][] of the state
//! let output = engine.tick(Date.now())                        // right after opening, and at output.wake_ms
//! output = engine.handle_call(now, id, json)                  // json: a `Call`
//! output = engine.handle_response(now, ticket, status, body)  // the answer to a `request`
//! output = engine.handle_no_answer(now, ticket)               // none came within 30 s
//! output = engine.handle_history(now, ticket, rows)           // [key, value][], in the order asked for
//! output = engine.socket_opened(now) | socket_frame(now, bytes) | socket_closed(now)
//! ```
//!
//! Each gives `{ writes, effects, wake_ms }`; the host first makes `writes` durable in one transaction, then carries out
//! `effects` in order (`weft_engine::host`). Bytes are `Uint8Array`, tickets are numbers, times are ms since 1970:
//!
//! ```text
//! write  = { write: "put", space: "state" | "history", key, value } | { write: "delete", space, key } | { write: "wipe" }
//! effect = { effect: "request", ticket, method, path, token?, body? }
//!        | { effect: "socket_open" } | { effect: "socket_send", bytes } | { effect: "socket_close" }
//!        | { effect: "read_history", ticket, from, to, limit, reverse }     // from <= key < to
//!        | { effect: "reply", id, ok: string } | { effect: "reply", id, err: string }   // JSON of `Reply`, of `CallError`
//!        | { effect: "event", event: string }                               // JSON of `Event`
//! ```
//!
//! A call that is no `Call`, and rows that do not open, are thrown as `Error`. After a panic, which is a fault of ours, the
//! instance is dead and the host opens a new one on the kept rows: nothing that was durable is lost.

// The macros of wasm-bindgen write `unsafe` glue.
#![allow(unsafe_code)]

mod output;

use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::*;
use weft_engine::api::Call;
use weft_engine::host::{Input, NoAnswer, Response};
use weft_engine::{Engine, Options};
use zeroize::Zeroize;

/// The engine.
#[wasm_bindgen]
pub struct WeftEngine {
    engine: Engine,
}

#[wasm_bindgen]
impl WeftEngine {
    /// Opens the engine on the kept rows of the state.
    ///
    /// # Errors
    /// When the entropy is not 32 bytes long, or the rows do not open.
    pub fn open(entropy: &[u8], now: f64, rows: &Array) -> Result<WeftEngine, JsError> {
        set_panic_hook();
        let mut seed: [u8; 32] =
            entropy.try_into().map_err(|_| JsError::new("32 bytes of entropy are needed"))?;
        let options = Options::new(seed, millis(now));
        seed.zeroize();
        let engine =
            Engine::open(options, read_rows(rows)?).map_err(|error| JsError::new(&error.to_string()))?;
        Ok(WeftEngine { engine })
    }

    /// Time has passed.
    pub fn tick(&mut self, now: f64) -> JsValue {
        self.handle(now, Input::Tick)
    }

    /// A call of the user interface, as JSON. The answer comes as an effect `reply` with this id.
    ///
    /// # Errors
    /// When the JSON is no call.
    pub fn handle_call(&mut self, now: f64, id: f64, json: &str) -> Result<JsValue, JsError> {
        let call: Call = serde_json::from_str(json).map_err(|_| JsError::new("this is not a call"))?;
        Ok(self.handle(now, Input::Call { id: number(id), call }))
    }

    /// An HTTP answer.
    pub fn handle_response(&mut self, now: f64, ticket: f64, status: u16, body: Vec<u8>) -> JsValue {
        let result = Ok(Response { status, body });
        self.handle(now, Input::Response { ticket: number(ticket), result })
    }

    /// No HTTP answer.
    pub fn handle_no_answer(&mut self, now: f64, ticket: f64) -> JsValue {
        self.handle(now, Input::Response { ticket: number(ticket), result: Err(NoAnswer) })
    }

    /// Rows of the history.
    ///
    /// # Errors
    /// When the rows are not pairs of bytes.
    pub fn handle_history(&mut self, now: f64, ticket: f64, rows: &Array) -> Result<JsValue, JsError> {
        let rows = read_rows(rows)?;
        Ok(self.handle(now, Input::History { ticket: number(ticket), rows }))
    }

    /// The socket is open.
    pub fn socket_opened(&mut self, now: f64) -> JsValue {
        self.handle(now, Input::SocketOpened)
    }

    /// A binary frame came.
    pub fn socket_frame(&mut self, now: f64, bytes: Vec<u8>) -> JsValue {
        self.handle(now, Input::SocketFrame(bytes))
    }

    /// The socket has closed, or could not be opened.
    pub fn socket_closed(&mut self, now: f64) -> JsValue {
        self.handle(now, Input::SocketClosed)
    }
}

impl WeftEngine {
    fn handle(&mut self, now: f64, input: Input) -> JsValue {
        output::to_js(self.engine.handle(millis(now), input))
    }
}

/// Key and value.
type Row = (Vec<u8>, Vec<u8>);

fn read_rows(rows: &Array) -> Result<Vec<Row>, JsError> {
    let bytes = |value: JsValue| {
        value
            .dyn_into::<Uint8Array>()
            .map(|bytes| bytes.to_vec())
            .map_err(|_| JsError::new("a row is [key, value]"))
    };
    let row = |row: JsValue| {
        let row = Array::from(&row);
        Ok((bytes(row.get(0))?, bytes(row.get(1))?))
    };
    rows.iter().map(row).collect()
}

/// A number of JavaScript as a time; what is none counts as 0.
fn millis(now: f64) -> u64 {
    now.max(0.0) as u64
}

fn number(value: f64) -> u64 {
    value.max(0.0) as u64
}

/// Where a panic happened goes to the console. Its message does not: it could hold what somebody wrote.
fn set_panic_hook() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        error(&format!("the engine has stopped at {place}"));
    }));
}

#[cfg(target_arch = "wasm32")]
#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn error(text: &str);
}
