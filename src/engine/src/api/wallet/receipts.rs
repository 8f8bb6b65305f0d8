//! What is asked and told about the node's word: the receipts that it has signed, and the key that it signs with.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// The calls about receipts. They are calls like the others.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
#[serde(rename_all = "snake_case", tag = "call")]
pub enum ReceiptCall {
    /// The receipt of a payment, where this device keeps it: it keeps those of the payments that it has made itself. `not_found`.
    /// → [`ReceiptReply::Receipt`]
    Receipt {
        /// The transfer.
        id: String,
    },
    /// The node's key, as this device has pinned it. → [`ReceiptReply::NodeKey`]
    NodeKey,
    /// The node signs with another key from now on, and somebody has made sure that it is the right one.
    /// → [`ReceiptReply::NodeKey`]
    AcceptNodeKey {
        /// The new key, as in [`NodeKeyView`].
        print: String,
    },
}

/// The answers to them. They are replies like the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case", tag = "reply", content = "value")]
pub enum ReceiptReply {
    /// A receipt.
    Receipt(ReceiptView),
    /// The node's key.
    NodeKey(NodeKeyView),
}

/// What the node has signed of a payment. Its signature was checked when it came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct ReceiptView {
    /// The transfer.
    pub transfer: String,
    /// Who has signed.
    pub node: String,
    /// With which key: its peer id.
    pub key: String,
    /// Whether that is the key which is pinned now.
    pub current: bool,
    /// Which event of the node's ledger it is.
    pub number: f64,
    /// When, ms.
    pub time_ms: f64,
    /// Asset id.
    pub asset: String,
    /// How much, in minor units.
    pub amount: String,
    /// What the node took for it beside the amount; while it is held, what is held for that.
    pub fee: String,
    /// Where the transfer stood then, as in [`super::TransferView`].
    pub state: String,
    /// What the signature is over, in hexadecimal: the context, a zero byte, the receipt in CBOR.
    pub signed: String,
    /// ed25519, in hexadecimal.
    pub signature: String,
    /// The payer's own signed order, in the same way.
    pub order_signed: String,
    /// The signature of the device's order key.
    pub order_signature: String,
}

/// The node's key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
pub struct NodeKeyView {
    /// The node.
    pub node: String,
    /// The key that counts, as a peer id.
    pub key: String,
    /// The node shows another one now: nothing that it signs counts until somebody has accepted that.
    pub new_key: Option<String>,
}
