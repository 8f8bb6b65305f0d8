//! Accepting, declining, blocking, removing. What the person decided holds here at once; the node is told now or as soon as
//! it can be reached.

use super::requests::seal_greeting;
use super::{Contact, Wish, by_address, find, save};
use crate::account::me;
use crate::api::ContactView;
use crate::error::{Refusal, call_error, internal};
use crate::http::{self, Failure};
use crate::jobs::{Done, Job};
use crate::runtime::{Cx, State};
use crate::sync;
use weft_wire::contacts::{ContactAccept, ContactAnswer, ContactState};
use weft_wire::identity::UserIdentity;
use weft_wire::{Code, UserAddress};

/// Agrees to a request.
pub(crate) async fn accept(cx: &Cx, user: &str) -> Result<ContactView, Refusal> {
    let (user, before) = cx.with(|s| -> Result<_, Refusal> {
        let contact = by_address(s, user)?;
        match contact.state {
            Some(ContactState::Incoming) => {}
            Some(ContactState::Accepted) => return Ok((contact.user.clone(), contact)),
            _ => return Err(call_error("unknown_contact", "This person has not asked.")),
        }
        let pin = contact.pin.ok_or_else(|| internal("identity"))?;
        if contact.changed.is_some() {
            return Err(call_error("key_changed", "This person's key is another one than before."));
        }
        let to = UserIdentity {
            user: contact.user.clone(),
            identity_key: pin.identity_key,
            seal_key: pin.seal_key,
            created_ms: 0,
        };
        let sealed = seal_greeting(s, &to, "")?;
        decide(s, &contact, Some(ContactState::Accepted), Wish::Accept(sealed));
        Ok((contact.user.clone(), contact))
    })?;
    tell_now(cx, &user, before).await?;
    cx.with(|s| {
        let me = me(s)?;
        find(s, &user).and_then(|contact| contact.view(&me.user)).ok_or_else(|| internal("contact"))
    })
}

/// Turns a request down. The other side is not told.
pub(crate) async fn decline(cx: &Cx, user: &str) -> Result<(), Refusal> {
    end(cx, user, None, Wish::Decline).await
}

/// No request and no message of theirs any more.
pub(crate) async fn block(cx: &Cx, user: &str) -> Result<(), Refusal> {
    end(cx, user, Some(ContactState::Blocked), Wish::Block).await
}

/// Ends a contact or a block.
pub(crate) async fn remove(cx: &Cx, user: &str) -> Result<(), Refusal> {
    end(cx, user, None, Wish::Remove).await
}

async fn end(cx: &Cx, user: &str, state: Option<ContactState>, wish: Wish) -> Result<(), Refusal> {
    let (user, before) = cx.with(|s| -> Result<_, Refusal> {
        let contact = by_address(s, user)?;
        decide(s, &contact, state, wish);
        Ok((contact.user.clone(), contact))
    })?;
    tell_now(cx, &user, before).await
}

fn decide(s: &mut State, contact: &Contact, state: Option<ContactState>, wish: Wish) {
    let decided = Contact { state, since_ms: s.now, wish: Some(wish), ..contact.clone() };
    save(s, &decided);
}

async fn tell_now(cx: &Cx, user: &UserAddress, before: Contact) -> Result<(), Refusal> {
    match tell(cx, user).await {
        Err(failure) if failure.is_final() => {
            cx.with(|s| save(s, &Contact { wish: None, ..before }));
            Err(failure.into())
        }
        // No network: the decision stands, and the node hears of it later.
        Err(_) => {
            cx.with(|s| s.jobs.want(Job::AnswerContact(user.clone())));
            Ok(())
        }
        Ok(_) => Ok(()),
    }
}

/// The job: tells the node what the person decided.
pub(crate) async fn tell(cx: &Cx, user: &UserAddress) -> Result<Done, Failure> {
    let Some(wish) = cx.with(|s| find(s, user)?.wish) else { return Ok(Done::Yes) };
    let path = |verb: &str| format!("contacts/{user}/{verb}");
    let state = match &wish {
        Wish::Accept(sealed) => {
            let body = ContactAccept { sealed: sealed.clone() };
            let answer: ContactAnswer = http::post(cx, &path("accept"), &body).await?;
            Some(answer.state)
        }
        Wish::Decline => gone_is_done(http::tell::<()>(cx, "POST", &path("decline"), None).await)?,
        Wish::Remove => gone_is_done(http::tell::<()>(cx, "POST", &path("remove"), None).await)?,
        Wish::Block => {
            http::tell::<()>(cx, "POST", &path("block"), None).await?;
            Some(ContactState::Blocked)
        }
    };
    cx.with(|s| {
        // The person may have decided otherwise meanwhile; then that is told next.
        let Some(mut contact) = find(s, user).filter(|contact| contact.wish.as_ref() == Some(&wish)) else {
            return;
        };
        contact.wish = None;
        contact.state = state;
        save(s, &contact);
        sync::contact_ready(s, &contact);
    });
    Ok(Done::Yes)
}

/// What is to be ended may have ended from the other side.
fn gone_is_done(result: Result<(), Failure>) -> Result<Option<ContactState>, Failure> {
    match result {
        Err(failure) if failure.code() == Some(Code::NotFound) => Ok(None),
        other => other.map(|()| None),
    }
}
