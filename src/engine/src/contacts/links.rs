//! Personal links and QR codes: making one, and reading what was pasted or scanned.

use super::{address, find, state_name};
use crate::account::{self, me};
use crate::api::{LinkPreview, LinkView};
use crate::error::{Refusal, call_error, field_error};
use crate::groups::door;
use crate::http;
use crate::runtime::Cx;
use serde::{Deserialize, Serialize};
use weft_wire::contacts::CreateContactLink;
use weft_wire::invites::{CreateInvite, InviteCreated, Link, LinkPerson};
use weft_wire::node::NodeInfo;
use weft_wire::{Blob, Millis, NodeName, UserAddress, limits};

const DAY_MS: Millis = 24 * 3_600_000;
/// How long a link lives.
const LINK_LIFETIME_MS: Millis = 30 * DAY_MS;
/// A link is shown again for so long, rather than a new one being made each time the page opens.
const LINK_FRESH_MS: Millis = 7 * DAY_MS;
/// So many people may become contacts by one link.
const LINK_USES: u32 = 100;
/// So many people may sign up by the invite in a link.
const INVITE_USES: u32 = limits::MEMBER_INVITE_USES_MAX;
/// Addresses of the node in a link, and the longest: with more of them a QR code is hard to scan.
const HINTS_MAX: usize = 3;
const HINT_BYTES_MAX: usize = 128;
const URL_BYTES_MAX: usize = 512;

/// The link that was made last.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    token: Blob,
    invite: Option<String>,
    made_ms: Millis,
}

fn key(invite: bool) -> &'static [u8] {
    if invite { b"a/link/invite" } else { b"a/link/plain" }
}

/// A link to oneself: the one that was made last, unless a fresh one is asked for. That ends none of those before it.
pub(crate) async fn create(cx: &Cx, invite: bool, base_url: &str, fresh: bool) -> Result<LinkView, Refusal> {
    let me = cx.with(|s| me(s))?;
    check_base(base_url)?;
    let kept = cx.with(|s| {
        let kept: Kept = s.load(key(invite))?;
        (!fresh && s.now < kept.made_ms + LINK_FRESH_MS && s.now >= kept.made_ms).then_some(kept)
    });
    let kept = match kept {
        Some(kept) => kept,
        None => make(cx, invite).await?,
    };
    let at = hints(cx, &me.user.node).await;
    let link = cx.with(|s| Link {
        person: Some(LinkPerson {
            user: me.user.clone(),
            name: account::account(s).map(|account| account.display_name.clone()).unwrap_or_default(),
            identity_key: me.identity_key,
            token: kept.token,
            at,
        }),
        // The person's own: it need not be said twice in a code that has to be scanned.
        node: None,
        invite: kept.invite,
        group: None,
    });
    let expires_ms = (kept.made_ms + LINK_LIFETIME_MS) as f64;
    let newcomers_max = if link.invite.is_some() { INVITE_USES } else { 0 };
    Ok(LinkView { url: link.to_url(base_url), expires_ms, people_max: LINK_USES, newcomers_max })
}

/// Whether links can be below this address.
pub(crate) fn check_base(base_url: &str) -> Result<(), Refusal> {
    let well_formed = base_url.starts_with("https://") || base_url.starts_with("http://");
    if !well_formed || base_url.len() > URL_BYTES_MAX || base_url.contains(['#', '?', ' ']) {
        return Err(field_error("base_url", "not the address of a node"));
    }
    Ok(())
}

/// Where the own node is reached, if its name does not say so. Without a network the link is made all the same.
pub(crate) async fn hints(cx: &Cx, node: &NodeName) -> Vec<String> {
    if !node.is_peer_id() {
        return Vec::new();
    }
    let Ok(info) = http::open_get::<NodeInfo>(cx, "node").await else { return Vec::new() };
    let mut addresses = info.addresses;
    addresses.retain(|address| address.len() <= HINT_BYTES_MAX);
    addresses.truncate(HINTS_MAX);
    addresses
}

async fn make(cx: &Cx, invite: bool) -> Result<Kept, Refusal> {
    let token: [u8; 16] = cx.with(|s| s.random());
    let body = CreateContactLink {
        token_hash: *blake3::hash(&token).as_bytes(),
        uses: LINK_USES,
        lifetime_ms: LINK_LIFETIME_MS,
    };
    http::tell(cx, "POST", "contacts/links", Some(&body)).await?;
    let invite_code = if invite {
        let body = CreateInvite { uses: INVITE_USES, lifetime_ms: LINK_LIFETIME_MS };
        Some(http::post::<_, InviteCreated>(cx, "invites", &body).await?.code)
    } else {
        None
    };
    Ok(cx.with(|s| {
        let kept = Kept { token: Blob(token.to_vec()), invite: invite_code, made_ms: s.now };
        s.store(key(invite), &kept);
        kept
    }))
}

/// What a text leads to.
pub(crate) fn read(cx: &Cx, text: &str) -> Result<LinkPreview, Refusal> {
    if let Ok(user) = cx.with(|s| address(s, text)) {
        return Ok(LinkPreview {
            state: standing(cx, &user),
            user: Some(user.to_string()),
            display_name: None,
            invite_node: None,
            invite: None,
            instant: false,
            group: None,
        });
    }
    let link = Link::parse(text).map_err(|error| call_error("bad_link", error))?;
    if link.person.is_none() && link.invite.is_none() && link.group.is_none() {
        return Err(call_error("bad_link", "This link leads nowhere."));
    }
    let group = link.group.as_ref().map(|group| cx.with(|s| door::preview(s, group)));
    Ok(LinkPreview {
        user: link.person.as_ref().map(|person| person.user.to_string()),
        display_name: link.person.as_ref().map(|person| super::incoming::tidy(&person.name, 128)),
        invite_node: link.invite_node().map(ToString::to_string),
        invite: link.invite,
        instant: link.person.is_some(),
        state: link.person.and_then(|person| standing(cx, &person.user)),
        group,
    })
}

fn standing(cx: &Cx, user: &UserAddress) -> Option<String> {
    cx.with(|s| {
        let me = s.live.me.clone()?;
        if &me.user == user {
            return Some("me".into());
        }
        Some(state_name(find(s, user)?.state?).into())
    })
}
