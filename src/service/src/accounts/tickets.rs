//! What the node seals and gets back: sign-in state, tickets, recovery challenges; and the list of what was used.

use super::{AccountError, Result, records::AccountRecord};
use crate::context::Ctx;
use serde::{Deserialize, Serialize};
use weft_store::{Tx, tables};
use weft_wire::{Blob, Millis, UserName};

/// How long the state of a sign-in and a recovery challenge live.
const STATE_LIFETIME_MS: Millis = 2 * 60 * 1000;
/// How long a ticket lives.
const TICKET_LIFETIME_MS: Millis = 10 * 60 * 1000;

const LOGIN: &str = "login";
const TICKET: &str = "ticket";
const CHALLENGE: &str = "recover";

/// The node's side of a sign-in, between its two steps.
#[derive(Serialize, Deserialize)]
pub(super) struct LoginState {
    pub name: UserName,
    /// OPAQUE server state.
    pub opaque: Blob,
    /// The password that it is about.
    pub credentials: u64,
}

/// The account was opened by its password or its recovery phrase.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub name: UserName,
    pub id: Blob,
    /// [`AccountRecord::credentials`] when it was made.
    pub credentials: u64,
    /// When it ends. Stands outside the sealed value too; here for the list of used ones.
    pub expires_ms: Millis,
}

/// A challenge for a recovery.
#[derive(Serialize, Deserialize)]
pub(super) struct Challenge {
    pub name: UserName,
    pub id: Blob,
    pub expires_ms: Millis,
}

/// What a ticket, challenge or nonce was used for. Each use counts once.
#[derive(Clone, Copy)]
pub(super) enum Use {
    AddDevice = 1,
    PasswordChange = 2,
    Recovery = 3,
    SessionRequest = 4,
}

pub(super) fn seal_login(ctx: &Ctx, state: LoginState) -> Blob {
    ctx.sealer.seal(ctx.entropy.as_ref(), LOGIN, state, ctx.now() + STATE_LIFETIME_MS)
}

pub(super) fn open_login(ctx: &Ctx, sealed: &Blob) -> Result<LoginState> {
    ctx.sealer.open(LOGIN, sealed, ctx.now()).ok_or(AccountError::Expired)
}

pub(super) fn seal_challenge(ctx: &Ctx, name: UserName) -> Blob {
    let expires_ms = ctx.now() + STATE_LIFETIME_MS;
    let challenge = Challenge { name, id: Blob(ctx.random::<16>().to_vec()), expires_ms };
    ctx.sealer.seal(ctx.entropy.as_ref(), CHALLENGE, challenge, expires_ms)
}

pub(super) fn open_challenge(ctx: &Ctx, sealed: &Blob) -> Result<Challenge> {
    ctx.sealer.open(CHALLENGE, sealed, ctx.now()).ok_or(AccountError::Expired)
}

pub(super) fn seal_ticket(ctx: &Ctx, name: UserName, credentials: u64) -> Blob {
    let expires_ms = ctx.now() + TICKET_LIFETIME_MS;
    let ticket = Ticket { name, id: Blob(ctx.random::<16>().to_vec()), credentials, expires_ms };
    ctx.sealer.seal(ctx.entropy.as_ref(), TICKET, ticket, expires_ms)
}

pub(super) fn open_ticket(ctx: &Ctx, sealed: &Blob) -> Result<Ticket> {
    ctx.sealer.open(TICKET, sealed, ctx.now()).ok_or(AccountError::Expired)
}

impl Ticket {
    /// Refuses a ticket from before a password change that it did not make itself.
    pub fn check(&self, account: &AccountRecord) -> Result<()> {
        let fresh = self.credentials == account.credentials || account.changed_by.as_ref() == Some(&self.id);
        if account.disabled {
            Err(AccountError::Forbidden)
        } else if fresh {
            Ok(())
        } else {
            Err(AccountError::Expired)
        }
    }
}

/// Marks something as used, in the caller's transaction.
///
/// # Errors
/// [`AccountError::Expired`] when it was used before.
pub(super) async fn spend(tx: &Tx, what: Use, id: &[u8], expires_ms: Millis) -> Result<()> {
    // The end comes first, so that the sweep finds what is over at the front.
    let mut key = expires_ms.to_be_bytes().to_vec();
    key.push(what as u8);
    key.extend_from_slice(id);
    if tx.get(tables::SPENT, &key).await?.is_some() {
        return Err(AccountError::Expired);
    }
    tx.put(tables::SPENT, &key, Vec::new());
    Ok(())
}
