//! Reading a [`Call`]. All fields of all calls are read in one place: what serde would write for each call by itself is a tenth of
//! what the browser loads.

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
    scale: Option<u8>,
    title: Option<String>,
    backing: Option<String>,
    payment_max: Option<String>,
    day_max: Option<String>,
    issue_max: Option<String>,
    redeem: Option<bool>,
    frozen: Option<bool>,
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

fn need<T>(said: Option<T>, field: &str) -> Result<T, String> {
    said.ok_or_else(|| format!("`{field}` is missing"))
}

impl Said {
    fn call(self) -> Result<Call, String> {
        Ok(match self.call.as_str() {
            "node" => Call::Node,
            "me" => Call::Me,
            "sign_up" => Call::SignUp {
                name: need(self.name, "name")?,
                display_name: need(self.display_name, "display_name")?,
                password: need(self.password, "password")?,
                invite: self.invite.map(Invite::code).transpose()?.flatten(),
            },
            "phrase" => Call::Phrase,
            "confirm_phrase" => Call::ConfirmPhrase { words: need(self.words, "words")? },
            "sign_in" => {
                Call::SignIn { name: need(self.name, "name")?, password: need(self.password, "password")? }
            }
            "recover" => Call::Recover {
                name: need(self.name, "name")?,
                phrase: need(self.phrase, "phrase")?,
                new_password: need(self.new_password, "new_password")?,
            },
            "change_password" => Call::ChangePassword {
                old_password: need(self.old_password, "old_password")?,
                new_password: need(self.new_password, "new_password")?,
            },
            "sign_out" => Call::SignOut,
            "set_display_name" => Call::SetDisplayName { name: need(self.name, "name")? },
            "devices" => Call::Devices,
            "name_device" => Call::NameDevice { name: need(self.name, "name")? },
            "revoke_device" => Call::RevokeDevice { device: need(self.device, "device")? },
            "create_link" => Call::CreateLink {
                invite: need(self.invite, "invite")?.wanted()?,
                base_url: need(self.base_url, "base_url")?,
                fresh: self.fresh.unwrap_or_default(),
            },
            "read_link" => Call::ReadLink { text: need(self.text, "text")? },
            "add_contact" => Call::AddContact {
                target: need(self.target, "target")?,
                greeting: need(self.greeting, "greeting")?,
            },
            "accept_contact" => Call::AcceptContact { user: need(self.user, "user")? },
            "decline_contact" => Call::DeclineContact { user: need(self.user, "user")? },
            "block_contact" => Call::BlockContact { user: need(self.user, "user")? },
            "remove_contact" => Call::RemoveContact { user: need(self.user, "user")? },
            "contacts" => Call::Contacts,
            "safety_number" => Call::SafetyNumber { user: need(self.user, "user")? },
            "verify_by_code" => {
                Call::VerifyByCode { user: need(self.user, "user")?, code: need(self.code, "code")? }
            }
            "set_verified" => Call::SetVerified {
                user: need(self.user, "user")?,
                verified: need(self.verified, "verified")?,
            },
            "chats" => Call::Chats,
            "messages" => Call::Messages {
                chat: need(self.chat, "chat")?,
                before: self.before,
                limit: need(self.limit, "limit")?,
            },
            "send_text" => Call::SendText {
                chat: need(self.chat, "chat")?,
                text: need(self.text, "text")?,
                reply_to: self.reply_to,
            },
            "retry" => Call::Retry { chat: need(self.chat, "chat")?, id: need(self.id, "id")? },
            "discard" => Call::Discard { chat: need(self.chat, "chat")?, id: need(self.id, "id")? },
            "mark_read" => {
                Call::MarkRead { chat: need(self.chat, "chat")?, order: need(self.order, "order")? }
            }
            "set_draft" => Call::SetDraft { chat: need(self.chat, "chat")?, text: need(self.text, "text")? },
            "typing" => Call::Typing { chat: need(self.chat, "chat")?, on: need(self.on, "on")? },
            "open_chat" => Call::OpenChat { user: need(self.user, "user")? },
            "create_group" => {
                Call::CreateGroup { name: need(self.name, "name")?, members: need(self.members, "members")? }
            }
            "group" => Call::Group { chat: need(self.chat, "chat")? },
            "add_members" => {
                Call::AddMembers { chat: need(self.chat, "chat")?, users: need(self.users, "users")? }
            }
            "remove_members" => {
                Call::RemoveMembers { chat: need(self.chat, "chat")?, users: need(self.users, "users")? }
            }
            "set_role" => Call::SetRole {
                chat: need(self.chat, "chat")?,
                user: need(self.user, "user")?,
                role: need(self.role, "role")?,
            },
            "rename_group" => {
                Call::RenameGroup { chat: need(self.chat, "chat")?, name: need(self.name, "name")? }
            }
            "leave_group" => Call::LeaveGroup { chat: need(self.chat, "chat")? },
            "enter_anew" => {
                Call::EnterAnew { chat: need(self.chat, "chat")?, print: need(self.print, "print")? }
            }
            "group_link" => Call::GroupLink {
                chat: need(self.chat, "chat")?,
                approval: need(self.approval, "approval")?,
                base_url: need(self.base_url, "base_url")?,
                fresh: self.fresh.unwrap_or_default(),
            },
            "end_group_links" => Call::EndGroupLinks { chat: need(self.chat, "chat")? },
            "join_group" => Call::JoinGroup { text: need(self.text, "text")? },
            "answer_join" => Call::AnswerJoin {
                chat: need(self.chat, "chat")?,
                user: need(self.user, "user")?,
                accept: need(self.accept, "accept")?,
            },
            "peers" => Call::Peers,
            "judge_peer" => Call::JudgePeer { name: need(self.name, "name")?, act: need(self.act, "act")? },
            "wake" => Call::Wake,
            _ => return self.about_money(),
        })
    }

    fn about_money(self) -> Result<Call, String> {
        Ok(match self.call.as_str() {
            "wallet" => Call::Wallet,
            "set_pin" => {
                Call::SetPin { pin: need(self.pin, "pin")?, password: need(self.password, "password")? }
            }
            "pay" => Call::Pay {
                id: need(self.id, "id")?,
                user: need(self.user, "user")?,
                asset: need(self.asset, "asset")?,
                amount: need(self.amount, "amount")?,
                note: self.note.unwrap_or_default(),
                hold: self.hold.unwrap_or_default(),
                chat: self.chat,
                request: self.request,
                refunds: self.refunds,
                pin: need(self.pin, "pin")?,
            },
            "transfer" => Call::Transfer { id: need(self.id, "id")? },
            "answer_transfer" => {
                Call::AnswerTransfer { id: need(self.id, "id")?, accept: need(self.accept, "accept")? }
            }
            "wallet_history" => {
                Call::WalletHistory { account: need(self.account, "account")?, before: self.before }
            }
            "send_packet" => Call::SendPacket {
                id: need(self.id, "id")?,
                chat: need(self.chat, "chat")?,
                asset: need(self.asset, "asset")?,
                amount: need(self.amount, "amount")?,
                shares: need(self.shares, "shares")?,
                lucky: need(self.lucky, "lucky")?,
                only: self.only,
                greeting: self.greeting.unwrap_or_default(),
                cover: self.cover.unwrap_or_default(),
                pin: need(self.pin, "pin")?,
            },
            "packet" => Call::Packet { chat: need(self.chat, "chat")?, id: need(self.id, "id")? },
            "open_packet" => Call::OpenPacket { chat: need(self.chat, "chat")?, id: need(self.id, "id")? },
            "ask_money" => Call::AskMoney {
                chat: need(self.chat, "chat")?,
                asset: need(self.asset, "asset")?,
                parts: need(self.parts, "parts")?,
                total: need(self.total, "total")?,
                note: self.note.unwrap_or_default(),
            },
            "request" => Call::Request { chat: need(self.chat, "chat")?, id: need(self.id, "id")? },
            "define_asset" => Call::DefineAsset {
                code: need(self.code, "code")?,
                scale: need(self.scale, "scale")?,
                title: need(self.title, "title")?,
                backing: self.backing.unwrap_or_default(),
                payment_max: self.payment_max.unwrap_or_else(|| "0".into()),
                day_max: self.day_max.unwrap_or_else(|| "0".into()),
                issue_max: self.issue_max.unwrap_or_else(|| "0".into()),
            },
            "issue" => Call::Issue {
                id: need(self.id, "id")?,
                user: need(self.user, "user")?,
                asset: need(self.asset, "asset")?,
                amount: need(self.amount, "amount")?,
                redeem: self.redeem.unwrap_or_default(),
            },
            "freeze_account" => Call::FreezeAccount {
                user: need(self.user, "user")?,
                asset: need(self.asset, "asset")?,
                frozen: need(self.frozen, "frozen")?,
            },
            other => return Err(format!("no such call: {other}")),
        })
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Said::deserialize(deserializer)?.call().map_err(D::Error::custom)
    }
}
