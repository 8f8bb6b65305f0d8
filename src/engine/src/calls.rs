//! Which call is answered by what.

use crate::account::{self, devices};
use crate::api::{Call, NodeView, Reply};
use crate::contacts::{self, answers, links, requests, safety};
use crate::error::{Refusal, call_error, internal};
use crate::host::Effect;
use crate::runtime::Cx;
use crate::{chats, connection, groups, http, operator, wallet};
use weft_wire::node::{NodeInfo, SignupPolicy};

/// Answers a call, whenever that is possible.
pub(crate) async fn answer(cx: Cx, id: u64, call: Call) {
    let result = carry_out(&cx, call).await;
    cx.with(|s| {
        // Signing out answers what was open; this one is answered here.
        s.live.calls.remove(&id);
        s.effect(Effect::Reply { id, result: result.map_err(|refusal| *refusal) });
    });
}

async fn carry_out(cx: &Cx, call: Call) -> Result<Reply, Refusal> {
    match call {
        Call::Node => node(cx).await,
        Call::Me => Ok(Reply::Me(cx.with(account::view))),
        Call::Wake => {
            cx.with(connection::wake);
            Ok(Reply::Done)
        }
        Call::SignUp { .. } | Call::SignIn { .. } | Call::Recover { .. } => open_account(cx, call).await,
        signed_in => {
            // A link can be read before one has an account; everything else is the account's.
            if let Call::ReadLink { text } = &signed_in {
                return Ok(Reply::LinkPreview(links::read(cx, text)?));
            }
            cx.with(|s| account::me(s))?;
            of_the_account(cx, signed_in).await
        }
    }
}

/// One at a time: two half-made accounts would be one too many.
async fn open_account(cx: &Cx, call: Call) -> Result<Reply, Refusal> {
    let busy = cx.with(|s| s.live.me.is_some() || std::mem::replace(&mut s.live.opening, true));
    if busy {
        return Err(call_error("already_signed_in", "Somebody is signed in here."));
    }
    let result = match call {
        Call::SignUp { name, display_name, password, invite } => {
            let password = zeroize::Zeroizing::new(password);
            account::sign_up(cx, &name, &display_name, &password, invite.as_deref()).await
        }
        Call::SignIn { name, password } => {
            let password = zeroize::Zeroizing::new(password);
            account::sign_in(cx, &name, &password).await
        }
        Call::Recover { name, phrase, new_password } => {
            let secrets = zeroize::Zeroizing::new([phrase, new_password]);
            let [phrase, new_password] = &*secrets;
            account::recover(cx, &name, phrase, new_password).await
        }
        _ => Err(internal("call")),
    };
    cx.with(|s| s.live.opening = false);
    result.map(|()| Reply::Me(cx.with(account::view)))
}

async fn of_the_account(cx: &Cx, call: Call) -> Result<Reply, Refusal> {
    let done = Reply::Done;
    Ok(match call {
        Call::Phrase => Reply::Phrase(account::phrase(cx)),
        Call::ConfirmPhrase { words } => account::confirm_phrase(cx, &words).map(|()| done)?,
        Call::ChangePassword { old_password, new_password } => {
            let secrets = zeroize::Zeroizing::new([old_password, new_password]);
            let [old, new] = &*secrets;
            account::change_password(cx, old, new).await.map(|()| done)?
        }
        Call::SignOut => devices::sign_out(cx).await.map(|()| done)?,
        Call::SetDisplayName { name } => {
            cx.with(|s| account::set_display_name(s, &name, false))?;
            Reply::Me(cx.with(account::view))
        }
        Call::Devices => Reply::Devices(devices::list(cx).await?),
        Call::NameDevice { name } => cx.with(|s| devices::name_this(s, &name)).map(|()| done)?,
        Call::RevokeDevice { device } => devices::revoke(cx, &device).await.map(|()| done)?,
        Call::CreateLink { invite, base_url, fresh } => {
            Reply::Link(links::create(cx, invite, &base_url, fresh).await?)
        }
        Call::AddContact { target, greeting } => Reply::Contact(requests::add(cx, &target, &greeting).await?),
        Call::AcceptContact { user } => Reply::Contact(answers::accept(cx, &user).await?),
        Call::DeclineContact { user } => answers::decline(cx, &user).await.map(|()| done)?,
        Call::BlockContact { user } => answers::block(cx, &user).await.map(|()| done)?,
        Call::RemoveContact { user } => answers::remove(cx, &user).await.map(|()| done)?,
        Call::Peers => Reply::Peers(operator::peers(cx).await?),
        Call::JudgePeer { name, act } => operator::judge(cx, &name, &act).await.map(|()| done)?,
        Call::Contacts => Reply::Contacts(cx.with(contacts::views)),
        Call::SafetyNumber { user } => Reply::Safety(cx.with(|s| safety::view(s, &user))?),
        Call::VerifyByCode { user, code } => Reply::Safety(cx.with(|s| safety::by_code(s, &user, &code))?),
        Call::SetVerified { user, verified } => {
            Reply::Safety(cx.with(|s| safety::set_verified(s, &user, verified))?)
        }
        other => {
            return match groups::calls::answer(cx, other).await {
                Ok(answered) => answered,
                Err(other) => match wallet::calls::answer(cx, other).await {
                    Ok(answered) => answered,
                    Err(chat) => chats::calls::answer(cx, chat).await,
                },
            };
        }
    })
}

async fn node(cx: &Cx) -> Result<Reply, Refusal> {
    let node: NodeInfo = http::open_get(cx, "node").await?;
    cx.with(|s| {
        s.live.set_node_clock(s.now, node.time_ms);
        wallet::trust::saw(s, &node);
    });
    let signup = match node.signup {
        SignupPolicy::Open => "open",
        SignupPolicy::Invite => "invite",
        SignupPolicy::Closed => "closed",
    };
    Ok(Reply::Node(NodeView {
        name: node.name.to_string(),
        title: node.title,
        accent: node.accent,
        signup: signup.into(),
        claimed: node.claimed,
        version: node.version,
    }))
}
