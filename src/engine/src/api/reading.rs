//! Reading a [`Call`]. All fields of all calls are read in one place: what serde would write for each call by itself is a tenth of
//! what the browser loads.

mod agents;
mod bills;
mod books;
mod escrow;
mod fees;
mod guard;
mod links;
mod mandates;
mod passkeys;
mod receipts;
mod shops;
mod topups;

use super::Call;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// Whatever a call may say.
#[derive(Deserialize)]
struct Said {
    call: String,
    invite: Option<Invite>,
    name: Option<String>,
    display_name: Option<String>,
    password: Option<String>,
    words: Option<Vec<(u8, String)>>,
    phrase: Option<String>,
    new_password: Option<String>,
    old_password: Option<String>,
    device: Option<String>,
    base_url: Option<String>,
    fresh: Option<bool>,
    text: Option<String>,
    target: Option<String>,
    greeting: Option<String>,
    user: Option<String>,
    code: Option<String>,
    verified: Option<bool>,
    chat: Option<String>,
    before: Option<f64>,
    day: Option<f64>,
    number: Option<f64>,
    limit: Option<u32>,
    reply_to: Option<String>,
    id: Option<String>,
    order: Option<f64>,
    on: Option<bool>,
    members: Option<Vec<String>>,
    users: Option<Vec<String>>,
    role: Option<String>,
    approval: Option<bool>,
    accept: Option<bool>,
    act: Option<String>,
    print: Option<String>,
    pin: Option<String>,
    asset: Option<String>,
    amount: Option<String>,
    note: Option<String>,
    hold: Option<bool>,
    request: Option<String>,
    refunds: Option<String>,
    account: Option<String>,
    shares: Option<u32>,
    lucky: Option<bool>,
    only: Option<String>,
    cover: Option<u8>,
    parts: Option<Vec<(String, String)>>,
    total: Option<String>,
    lines: Option<Vec<(String, String, String, String)>>,
    due_ms: Option<f64>,
    invoice: Option<String>,
    escrow: Option<String>,
    mandate: Option<String>,
    standing: Option<bool>,
    period: Option<String>,
    last_day: Option<f64>,
    count: Option<u32>,
    zone: Option<f64>,
    sent: Option<bool>,
    scale: Option<u8>,
    title: Option<String>,
    backing: Option<String>,
    payment_max: Option<String>,
    day_max: Option<String>,
    issue_max: Option<String>,
    redeem: Option<bool>,
    frozen: Option<bool>,
    merchant_name: Option<String>,
    city: Option<String>,
    country: Option<String>,
    mcc: Option<u16>,
    shop: Option<String>,
    open: Option<bool>,
    bill: Option<String>,
    tip_allowed: Option<bool>,
    lifetime: Option<u32>,
    sale: Option<String>,
    till: Option<String>,
    tip: Option<String>,
    cap: Option<String>,
    against: Option<String>,
    from_ms: Option<f64>,
    until_ms: Option<f64>,
    exchange: Option<(String, String)>,
    salt: Option<String>,
    secret: Option<String>,
    kind: Option<String>,
    fee: Option<Vec<String>>,
    rows: Option<Vec<Vec<String>>>,
}

/// The one word that stands for two things: the code of an invite, and whether to make one.
enum Invite {
    Code(String),
    Wanted(bool),
}

impl Invite {
    fn code(self) -> Result<Option<String>, String> {
        match self {
            Invite::Code(code) => Ok(Some(code)),
            Invite::Wanted(_) => Err("`invite` is a text".into()),
        }
    }

    fn wanted(self) -> Result<bool, String> {
        match self {
            Invite::Wanted(wanted) => Ok(wanted),
            Invite::Code(_) => Err("`invite` is a yes or no".into()),
        }
    }
}

impl<'de> Deserialize<'de> for Invite {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Invite;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, or yes or no")
            }

            fn visit_bool<E: Error>(self, wanted: bool) -> Result<Invite, E> {
                Ok(Invite::Wanted(wanted))
            }

            fn visit_str<E: Error>(self, code: &str) -> Result<Invite, E> {
                Ok(Invite::Code(code.to_owned()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// Takes a field. What is moved out of a struct piece by piece makes the compiler remember, at each step that may fail, which
/// pieces are left to be dropped.
fn need<T>(said: &mut Option<T>, field: &str) -> Result<T, String> {
    said.take().ok_or_else(|| missing(field))
}

#[inline(never)]
fn missing(field: &str) -> String {
    format!("`{field}` is missing")
}

impl Said {
    fn call(&mut self) -> Result<Call, String> {
        let call = std::mem::take(&mut self.call);
        Ok(match call.as_str() {
            "node" => Call::Node,
            "me" => Call::Me,
            "sign_up" => Call::SignUp {
                name: need(&mut self.name, "name")?,
                display_name: need(&mut self.display_name, "display_name")?,
                password: need(&mut self.password, "password")?,
                invite: self.invite.take().map(Invite::code).transpose()?.flatten(),
            },
            "phrase" => Call::Phrase,
            "confirm_phrase" => Call::ConfirmPhrase { words: need(&mut self.words, "words")? },
            "sign_in" => Call::SignIn {
                name: need(&mut self.name, "name")?,
                password: need(&mut self.password, "password")?,
            },
            "recover" => Call::Recover {
                name: need(&mut self.name, "name")?,
                phrase: need(&mut self.phrase, "phrase")?,
                new_password: need(&mut self.new_password, "new_password")?,
            },
            "change_password" => Call::ChangePassword {
                old_password: need(&mut self.old_password, "old_password")?,
                new_password: need(&mut self.new_password, "new_password")?,
            },
            "sign_out" => Call::SignOut,
            "set_display_name" => Call::SetDisplayName { name: need(&mut self.name, "name")? },
            "devices" => Call::Devices,
            "name_device" => Call::NameDevice { name: need(&mut self.name, "name")? },
            "revoke_device" => Call::RevokeDevice { device: need(&mut self.device, "device")? },
            "create_link" => Call::CreateLink {
                invite: need(&mut self.invite, "invite")?.wanted()?,
                base_url: need(&mut self.base_url, "base_url")?,
                fresh: self.fresh.take().unwrap_or_default(),
            },
            "read_link" => Call::ReadLink { text: need(&mut self.text, "text")? },
            "add_contact" => Call::AddContact {
                target: need(&mut self.target, "target")?,
                greeting: need(&mut self.greeting, "greeting")?,
            },
            "accept_contact" => Call::AcceptContact { user: need(&mut self.user, "user")? },
            "decline_contact" => Call::DeclineContact { user: need(&mut self.user, "user")? },
            "block_contact" => Call::BlockContact { user: need(&mut self.user, "user")? },
            "remove_contact" => Call::RemoveContact { user: need(&mut self.user, "user")? },
            "contacts" => Call::Contacts,
            "safety_number" => Call::SafetyNumber { user: need(&mut self.user, "user")? },
            "verify_by_code" => Call::VerifyByCode {
                user: need(&mut self.user, "user")?,
                code: need(&mut self.code, "code")?,
            },
            "set_verified" => Call::SetVerified {
                user: need(&mut self.user, "user")?,
                verified: need(&mut self.verified, "verified")?,
            },
            "chats" => Call::Chats,
            "messages" => Call::Messages {
                chat: need(&mut self.chat, "chat")?,
                before: self.before.take(),
                limit: need(&mut self.limit, "limit")?,
            },
            "send_text" => Call::SendText {
                chat: need(&mut self.chat, "chat")?,
                text: need(&mut self.text, "text")?,
                reply_to: self.reply_to.take(),
            },
            "retry" => Call::Retry { chat: need(&mut self.chat, "chat")?, id: need(&mut self.id, "id")? },
            "discard" => Call::Discard { chat: need(&mut self.chat, "chat")?, id: need(&mut self.id, "id")? },
            "mark_read" => {
                Call::MarkRead { chat: need(&mut self.chat, "chat")?, order: need(&mut self.order, "order")? }
            }
            "set_draft" => {
                Call::SetDraft { chat: need(&mut self.chat, "chat")?, text: need(&mut self.text, "text")? }
            }
            "typing" => Call::Typing { chat: need(&mut self.chat, "chat")?, on: need(&mut self.on, "on")? },
            "open_chat" => Call::OpenChat { user: need(&mut self.user, "user")? },
            "create_group" => Call::CreateGroup {
                name: need(&mut self.name, "name")?,
                members: need(&mut self.members, "members")?,
            },
            "group" => Call::Group { chat: need(&mut self.chat, "chat")? },
            "add_members" => Call::AddMembers {
                chat: need(&mut self.chat, "chat")?,
                users: need(&mut self.users, "users")?,
            },
            "remove_members" => Call::RemoveMembers {
                chat: need(&mut self.chat, "chat")?,
                users: need(&mut self.users, "users")?,
            },
            "set_role" => Call::SetRole {
                chat: need(&mut self.chat, "chat")?,
                user: need(&mut self.user, "user")?,
                role: need(&mut self.role, "role")?,
            },
            "rename_group" => {
                Call::RenameGroup { chat: need(&mut self.chat, "chat")?, name: need(&mut self.name, "name")? }
            }
            "leave_group" => Call::LeaveGroup { chat: need(&mut self.chat, "chat")? },
            "enter_anew" => Call::EnterAnew {
                chat: need(&mut self.chat, "chat")?,
                print: need(&mut self.print, "print")?,
            },
            "group_link" => Call::GroupLink {
                chat: need(&mut self.chat, "chat")?,
                approval: need(&mut self.approval, "approval")?,
                base_url: need(&mut self.base_url, "base_url")?,
                fresh: self.fresh.take().unwrap_or_default(),
            },
            "end_group_links" => Call::EndGroupLinks { chat: need(&mut self.chat, "chat")? },
            "join_group" => Call::JoinGroup { text: need(&mut self.text, "text")? },
            "answer_join" => Call::AnswerJoin {
                chat: need(&mut self.chat, "chat")?,
                user: need(&mut self.user, "user")?,
                accept: need(&mut self.accept, "accept")?,
            },
            "peers" => Call::Peers,
            "judge_peer" => {
                Call::JudgePeer { name: need(&mut self.name, "name")?, act: need(&mut self.act, "act")? }
            }
            "wake" => Call::Wake,
            other => return self.about_money(other),
        })
    }

    fn about_money(&mut self, call: &str) -> Result<Call, String> {
        Ok(match call {
            "wallet" => Call::Wallet,
            "set_pin" => Call::SetPin {
                pin: need(&mut self.pin, "pin")?,
                password: need(&mut self.password, "password")?,
            },
            "pay" => Call::Pay {
                id: need(&mut self.id, "id")?,
                user: need(&mut self.user, "user")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                note: self.note.take().unwrap_or_default(),
                hold: self.hold.take().unwrap_or_default(),
                chat: self.chat.take(),
                request: self.request.take(),
                refunds: self.refunds.take(),
                exchange: self.exchange.take(),
                pin: need(&mut self.pin, "pin")?,
            },
            "transfer" => Call::Transfer { id: need(&mut self.id, "id")? },
            "answer_transfer" => Call::AnswerTransfer {
                id: need(&mut self.id, "id")?,
                accept: need(&mut self.accept, "accept")?,
            },
            "wallet_history" => Call::WalletHistory {
                account: need(&mut self.account, "account")?,
                before: self.before.take(),
            },
            "send_packet" => Call::SendPacket {
                id: need(&mut self.id, "id")?,
                chat: need(&mut self.chat, "chat")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                shares: need(&mut self.shares, "shares")?,
                lucky: need(&mut self.lucky, "lucky")?,
                only: self.only.take(),
                greeting: self.greeting.take().unwrap_or_default(),
                cover: self.cover.take().unwrap_or_default(),
                pin: need(&mut self.pin, "pin")?,
            },
            "packet" => Call::Packet { chat: need(&mut self.chat, "chat")?, id: need(&mut self.id, "id")? },
            "open_packet" => {
                Call::OpenPacket { chat: need(&mut self.chat, "chat")?, id: need(&mut self.id, "id")? }
            }
            "ask_money" => Call::AskMoney {
                chat: need(&mut self.chat, "chat")?,
                asset: need(&mut self.asset, "asset")?,
                parts: need(&mut self.parts, "parts")?,
                total: need(&mut self.total, "total")?,
                note: self.note.take().unwrap_or_default(),
            },
            "request" => Call::Request { chat: need(&mut self.chat, "chat")?, id: need(&mut self.id, "id")? },
            "define_asset" => Call::DefineAsset {
                code: need(&mut self.code, "code")?,
                scale: need(&mut self.scale, "scale")?,
                title: need(&mut self.title, "title")?,
                backing: self.backing.take().unwrap_or_default(),
                payment_max: self.payment_max.take().unwrap_or_else(|| "0".into()),
                day_max: self.day_max.take().unwrap_or_else(|| "0".into()),
                issue_max: self.issue_max.take().unwrap_or_else(|| "0".into()),
            },
            "issue" => Call::Issue {
                id: need(&mut self.id, "id")?,
                user: need(&mut self.user, "user")?,
                asset: need(&mut self.asset, "asset")?,
                amount: need(&mut self.amount, "amount")?,
                redeem: self.redeem.take().unwrap_or_default(),
            },
            "freeze_account" => Call::FreezeAccount {
                user: need(&mut self.user, "user")?,
                asset: need(&mut self.asset, "asset")?,
                frozen: need(&mut self.frozen, "frozen")?,
            },
            "receipt" | "node_key" | "accept_node_key" => return self.receipt_call(call).map(Call::Receipt),
            "passkey" | "set_passkey" | "forget_passkey" => {
                return self.passkey_call(call).map(Call::Passkey);
            }
            other => {
                if let Some(call) = self.top_up_call(other)? {
                    Call::TopUp(call)
                } else if let Some(call) = self.bill_call(other)? {
                    Call::Bill(call)
                } else if let Some(call) = self.escrow_call(other)? {
                    Call::Escrow(call)
                } else if let Some(call) = self.mandate_call(other)? {
                    Call::Mandate(call)
                } else if let Some(call) = self.books_call(other)? {
                    Call::Books(call)
                } else if let Some(call) = self.guard_call(other)? {
                    Call::Guard(call)
                } else if let Some(call) = self.agent_call(other)? {
                    Call::Agent(call)
                } else if let Some(call) = self.link_call(other)? {
                    Call::NodeLink(call)
                } else {
                    Call::Shop(self.shop_call(other)?)
                }
            }
        })
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Said::deserialize(deserializer)?.call().map_err(D::Error::custom)
    }
}
