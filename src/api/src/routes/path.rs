//! Ids and addresses in paths and queries, refused by name when they are none.

use crate::error::Fault;
use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use std::{fmt::Display, str::FromStr};
use weft_wire::{
    AccountId, AssetId, BankLineId, Code, DeviceId, NodeName, Problem, RequestId, RoomId, TransferId,
    UserAddress, UserName,
};

/// `{room}`.
pub(crate) struct Room(pub RoomId);
/// `{device}`.
pub(crate) struct Device(pub DeviceId);
/// `{user}`.
pub(crate) struct User(pub UserAddress);
/// `{node}`.
pub(crate) struct Node(pub NodeName);

/// `{transfer}`.
pub(crate) struct Transfer(pub TransferId);
/// `{packet}`: the transfer that filled it.
pub(crate) struct Packet(pub TransferId);
/// `{request}`.
pub(crate) struct Request(pub RequestId);
/// `{shop}`.
pub(crate) struct Shop(pub UserName);
/// `{line}`.
pub(crate) struct BankLine(pub BankLineId);
/// `{escrow}`: the transfer that funded it.
pub(crate) struct Escrow(pub TransferId);
/// `{mandate}`: the transfer of the order that gave it.
pub(crate) struct Mandate(pub TransferId);
/// `{provider}`: of payments, as node.toml calls it.
pub(crate) struct Provider(pub String);
/// `{issuer}`: of invoices.
pub(crate) struct Issuer(pub UserName);
/// `{invoice}`.
pub(crate) struct Invoice(pub RequestId);
/// `{sale}`.
pub(crate) struct Sale(pub RequestId);
/// `{account}`.
pub(crate) struct Account(pub AccountId);
/// `{asset}`.
pub(crate) struct Asset(pub AssetId);

async fn parameter<T, S>(parts: &mut Parts, state: &S, name: &'static str) -> Result<T, Fault>
where
    T: FromStr<Err: Display>,
    S: Send + Sync,
{
    let found = RawPathParams::from_request_parts(parts, state).await;
    let parameters = found.map_err(|_| Fault::malformed("the path is not valid UTF-8"))?;
    let text = parameters.iter().find(|(key, _)| *key == name).map(|(_, value)| value).unwrap_or_default();
    text.parse().map_err(|error| invalid(name, error))
}

/// A field that is ill-formed.
pub(crate) fn invalid(field: &'static str, why: impl Display) -> Fault {
    Fault(Problem::new(Code::InvalidField).field(field).detail(why))
}

macro_rules! extractor {
    ($kind:ident, $name:literal) => {
        impl<S: Send + Sync> FromRequestParts<S> for $kind {
            type Rejection = Fault;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
                parameter(parts, state, $name).await.map($kind)
            }
        }
    };
}
extractor!(Room, "room");
extractor!(Device, "device");
extractor!(User, "user");
extractor!(Node, "node");
extractor!(Transfer, "transfer");
extractor!(Packet, "packet");
extractor!(Request, "request");
extractor!(Shop, "shop");
extractor!(Sale, "sale");
extractor!(BankLine, "line");
extractor!(Escrow, "escrow");
extractor!(Mandate, "mandate");
extractor!(Provider, "provider");
extractor!(Issuer, "issuer");
extractor!(Invoice, "invoice");
extractor!(Account, "account");
extractor!(Asset, "asset");

/// The query, `a=b&c=d`. Values here are ids, numbers and addresses, of which only the `@` may be percent-encoded.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// A value, if it is given.
    pub(crate) fn get<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<Option<T>, Fault> {
        let text = self.text(name);
        text.map(|text| text.parse().map_err(|error| invalid(name, error))).transpose()
    }

    /// A value as it stands there.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let pairs = axum::extract::Query::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        Ok(Query(pairs.map_err(|_| Fault::malformed("the query is not valid"))?.0))
    }
}
