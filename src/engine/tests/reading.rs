//! What the interface asks is read by hand (`api/reading.rs`): it must read every call that the types name, as it was written.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use ts_rs::{Config, TS};
use weft_engine::api::{
    AgentCall, BillCall, BooksCall, Call, EscrowCall, FeeCall, GuardCall, MandateCall, PasskeyCall,
    ReceiptCall, ShopCall, TopUpCall,
};

/// What stands for nothing where it is left out.
const MAY_LACK: &[(&str, &str)] = &[
    ("pay", "note"),
    ("pay", "hold"),
    ("send_packet", "greeting"),
    ("send_packet", "cover"),
    ("ask_money", "note"),
    ("define_asset", "backing"),
    ("define_asset", "payment_max"),
    ("define_asset", "day_max"),
    ("define_asset", "issue_max"),
    ("issue", "redeem"),
    ("invoices", "sent"),
];

/// Every call by its word, with its fields and their TypeScript types, out of the generated declaration.
fn calls() -> BTreeMap<String, Vec<(String, String)>> {
    let all = [
        Call::inline,
        ShopCall::inline,
        ReceiptCall::inline,
        TopUpCall::inline,
        BillCall::inline,
        EscrowCall::inline,
        MandateCall::inline,
        BooksCall::inline,
        GuardCall::inline,
        AgentCall::inline,
        PasskeyCall::inline,
        FeeCall::inline,
    ];
    let text = all.map(|inline| inline(&Config::default())).concat();
    let without_docs: String = text
        .split("/**")
        .enumerate()
        .map(|(n, part)| if n == 0 { part } else { part.split_once("*/").unwrap().1 })
        .collect();
    let mut calls = BTreeMap::new();
    for call in without_docs.split('{').skip(1) {
        let call = call.split('}').next().unwrap();
        let mut fields: Vec<(String, String)> = Vec::new();
        for field in parts(call).filter(|field| field.contains(':')) {
            let (name, kind) = field.split_once(':').unwrap();
            fields.push((name.trim().trim_matches('"').to_owned(), kind.trim().to_owned()));
        }
        let (word, kind) = fields.remove(0);
        assert_eq!(word, "call");
        calls.insert(kind.trim_matches('"').to_owned(), fields);
    }
    calls
}

/// What stands between commas, but for those within brackets.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let mut open = 0;
    text.split(move |c| {
        open += match c {
            '[' => 1,
            ']' => -1,
            _ => 0,
        };
        c == ',' && open == 0
    })
}

fn value(name: &str, kind: &str) -> Value {
    match kind {
        "Array<[number, string]>" => json!([[3, "apple"], [11, "pear"]]),
        "Array<[string, string]>" => json!([["alice", "12.50"]]),
        "Array<[string, string, string, string]>" => json!([["tea", "1500", "200", "190"]]),
        "string" | "string | null" => json!(format!("a {name}")),
        "[string, string, string, string]" => json!(["10", "100", "0", "0"]),
        "[string, string]" | "[string, string] | null" => json!(["12.00", "1.09"]),
        "boolean" | "boolean | null" => json!(true),
        "number" | "number | null" => json!(7),
        "Array<string>" => json!(["one", "two"]),
        other => panic!("{name}: {other}"),
    }
}

fn plain(value: &Value) -> Value {
    // Numbers of a call are doubles or not, by their type here; in the text they are the same.
    match value {
        Value::Number(number) => json!(number.as_f64()),
        other => other.clone(),
    }
}

#[test]
fn every_call_is_read_as_it_was_written() {
    let calls = calls();
    assert!(calls.len() > 40, "{:?}", calls.keys());
    for (word, fields) in &calls {
        let mut said = Map::from_iter([("call".to_owned(), json!(word))]);
        for (name, kind) in fields {
            said.insert(name.trim_end_matches('?').to_owned(), value(name.trim_end_matches('?'), kind));
        }
        let read: Call = serde_json::from_value(Value::Object(said.clone()))
            .unwrap_or_else(|error| panic!("{word}: {error}"));
        let written = serde_json::to_value(&read).unwrap();
        let written: Map<_, _> =
            written.as_object().unwrap().iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        let expected: Map<_, _> = said.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        assert_eq!(written, expected, "{word}");
        // What has to be said is missed when it is not.
        let needed = |name: &str, kind: &str| {
            !name.ends_with('?') && !kind.contains("null") && !MAY_LACK.contains(&(word.as_str(), name))
        };
        for (name, kind) in fields.iter().filter(|(name, kind)| needed(name, kind)) {
            let mut less = said.clone();
            less.remove(name);
            let refused = serde_json::from_value::<Call>(Value::Object(less)).unwrap_err().to_string();
            assert!(refused.contains(name), "{word} {name} {kind}: {refused}");
        }
    }
}

#[test]
fn what_is_no_call_is_refused() {
    for said in
        [json!({"call": "fly"}), json!({}), json!("me"), json!({"call": "send_text", "chat": 3, "text": ""})]
    {
        assert!(serde_json::from_value::<Call>(said.clone()).is_err(), "{said}");
    }
    let code = json!({"call": "create_link", "invite": "x", "base_url": ""});
    assert!(serde_json::from_value::<Call>(code).is_err(), "a text where yes or no is asked");
}
