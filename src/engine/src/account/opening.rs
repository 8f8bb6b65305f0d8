//! The last step of sign-up, sign-in and recovery, which a crash or a lost answer must not cut in two.
//!
//! The new account is kept as PENDING before the node is asked to make it (or its device). When the answer does not come,
//! the device asks for a session: if the node knows it, the step had succeeded.

use super::{ACCOUNT, Account, PENDING, session};
use crate::api::Event;
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use crate::{connection, vault};
use serde::Serialize;
use std::rc::Rc;
use weft_wire::Code;
use weft_wire::accounts::{Role, SessionGranted};

/// Keeps the account as pending, asks the node, and signs in.
pub(super) async fn finish<B: Serialize>(
    cx: &Cx,
    account: Account,
    path: &str,
    body: &B,
) -> Result<(), Failure> {
    cx.with(|s| s.store(PENDING, &account));
    match http::open_post::<_, SessionGranted>(cx, path, body).await {
        Ok(granted) => {
            cx.with(|s| promote(s, account, &granted));
            Ok(())
        }
        Err(failure) if failure.is_final() => {
            cx.with(|s| s.kv_delete(PENDING));
            Err(failure)
        }
        // Perhaps it was done all the same.
        Err(failure) => match resume_pending(cx).await {
            Ok(true) => Ok(()),
            _ => Err(failure),
        },
    }
}

/// Finds out what became of a pending account. True: somebody is signed in now.
pub(crate) async fn resume_pending(cx: &Cx) -> Result<bool, Failure> {
    let Some((account, me)) = cx.with(|s| {
        let account: Account = s.load(PENDING)?;
        let me = account.open()?;
        Some((account, me))
    }) else {
        return Ok(false);
    };
    match session::ask(cx, &me).await {
        Ok(granted) => {
            cx.with(|s| promote(s, account, &granted));
            Ok(true)
        }
        // Also "who are you?": the node has never heard of the device.
        Err(failure) if failure.is_final() || failure.code() == Some(Code::Unauthenticated) => {
            cx.with(|s| {
                // Another attempt may have begun meanwhile.
                if s.load::<Account>(PENDING).is_some_and(|now| now.cert == account.cert) {
                    s.kv_delete(PENDING);
                }
            });
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

fn promote(s: &mut State, mut account: Account, granted: &SessionGranted) {
    if s.live.me.is_some() {
        return;
    }
    let Some(me) = account.open() else { return };
    let first_device = account.phrase.is_some();
    account.role = if granted.role == Role::Owner { Role::Owner } else { Role::Member };
    s.store(ACCOUNT, &account);
    s.kv_delete(PENDING);
    session::keep(s, granted);
    s.live.me = Some(Rc::new(me));
    if first_device {
        // A new account has nothing to fetch; its name is what the next device will read first.
        let mut sync = super::sync_state(s);
        sync.contacts_pulled = true;
        sync.rooms_listed = true;
        super::set_sync_state(s, &sync);
        vault::changed(s, vault::Name::Profile);
    }
    s.event(Event::Me(Some(account.view())));
    connection::start(s);
}
