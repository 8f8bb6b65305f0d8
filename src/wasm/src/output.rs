//! What the engine wants done, as plain objects.

use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;
use weft_engine::host::{Effect, Output, Space, Write};

/// `{ writes, effects, wake_ms }`.
pub(crate) fn to_js(output: Output) -> JsValue {
    let writes: Array = output.writes.into_iter().map(write).collect();
    let effects: Array = output.effects.into_iter().map(effect).collect();
    object(&[
        ("writes", writes.into()),
        ("effects", effects.into()),
        ("wake_ms", output.wake_ms.map_or(JsValue::NULL, number)),
    ])
}

fn write(write: Write) -> JsValue {
    match write {
        Write::Put { space, key, value } => object(&[
            ("write", "put".into()),
            ("space", name(space)),
            ("key", bytes(&key)),
            ("value", bytes(&value)),
        ]),
        Write::Delete { space, key } => {
            object(&[("write", "delete".into()), ("space", name(space)), ("key", bytes(&key))])
        }
        Write::Wipe => object(&[("write", "wipe".into())]),
    }
}

fn effect(effect: Effect) -> JsValue {
    match effect {
        Effect::Request { ticket, method, path, token, body } => object(&[
            ("effect", "request".into()),
            ("ticket", number(ticket)),
            ("method", method.into()),
            ("path", path.into()),
            ("token", token.map_or(JsValue::UNDEFINED, Into::into)),
            ("body", body.map_or(JsValue::UNDEFINED, |body| bytes(&body))),
        ]),
        Effect::SocketOpen => object(&[("effect", "socket_open".into())]),
        Effect::SocketSend(frame) => object(&[("effect", "socket_send".into()), ("bytes", bytes(&frame))]),
        Effect::SocketClose => object(&[("effect", "socket_close".into())]),
        Effect::ReadHistory { ticket, from, to, limit, reverse } => object(&[
            ("effect", "read_history".into()),
            ("ticket", number(ticket)),
            ("from", bytes(&from)),
            ("to", bytes(&to)),
            ("limit", (limit as f64).into()),
            ("reverse", reverse.into()),
        ]),
        Effect::Reply { id, result } => {
            let (field, value) = match &result {
                Ok(reply) => ("ok", json(reply)),
                Err(error) => ("err", json(error)),
            };
            object(&[("effect", "reply".into()), ("id", number(id)), (field, value)])
        }
        Effect::Event(event) => object(&[("effect", "event".into()), ("event", json(&event))]),
    }
}

fn name(space: Space) -> JsValue {
    match space {
        Space::State => "state".into(),
        Space::History => "history".into(),
    }
}

/// Views have no maps with keys that are not text and no failing serializers, so this always is JSON.
fn json(value: &impl serde::Serialize) -> JsValue {
    serde_json::to_string(value).unwrap_or_default().into()
}

/// A copy that JavaScript owns: a view into the engine's memory would move under it.
fn bytes(bytes: &[u8]) -> JsValue {
    Uint8Array::from(bytes).into()
}

/// Exact up to 2^53, which tickets and times stay below.
fn number(value: u64) -> JsValue {
    (value as f64).into()
}

fn object(fields: &[(&str, JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a field of a fresh plain object cannot fail.
        let _ = Reflect::set(&object, &(*name).into(), value);
    }
    object.into()
}
