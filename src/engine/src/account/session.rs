//! The session token: kept, renewed by the device key, dropped when the node no longer knows it.

use super::{Me, signed_out_remotely};
use crate::http::{self, Failure};
use crate::runtime::{Cx, State};
use crate::wallet::trust;
use serde::{Deserialize, Serialize};
use weft_wire::accounts::{SessionGranted, SessionRequest};
use weft_wire::node::NodeInfo;
use weft_wire::{Blob, Code, Millis, Signed};
use zeroize::Zeroize;

const SESSION: &[u8] = b"a/session";
/// Renewed when less than this is left.
const RENEW_BEFORE_MS: Millis = 24 * 3_600_000;

#[derive(Clone, Serialize, Deserialize)]
struct Session {
    token: String,
    expires_ms: Millis,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.token.zeroize();
    }
}

pub(super) fn keep(s: &mut State, granted: &SessionGranted) {
    s.store(SESSION, &Session { token: granted.token.clone(), expires_ms: granted.expires_ms });
}

/// A token that is valid, as far as this device can know. One task asks for a new one, the others wait for it.
pub(crate) async fn token(cx: &Cx) -> Result<String, Failure> {
    cx.until(|s| !s.live.session_asked).await;
    let Some(me) = cx.with(|s| s.live.me.clone()) else {
        return Err(Failure::Nonsense("nobody is signed in"));
    };
    let kept = cx.with(|s| {
        let session: Session = s.load(SESSION)?;
        (session.expires_ms > s.live.node_time(s.now) + RENEW_BEFORE_MS).then(|| session.token.clone())
    });
    if let Some(token) = kept {
        return Ok(token);
    }
    cx.with(|s| s.live.session_asked = true);
    let granted = ask(cx, &me).await;
    cx.with(|s| {
        s.live.session_asked = false;
        match &granted {
            Ok(granted) => keep(s, granted),
            Err(failure) => refused(s, failure),
        }
    });
    granted.map(|granted| granted.token)
}

/// Asks for a session by the device key.
pub(super) async fn ask(cx: &Cx, me: &Me) -> Result<SessionGranted, Failure> {
    // The request is signed with the node's own time: a device whose clock is wrong can still come in.
    let node: NodeInfo = http::open_get(cx, "node").await?;
    let request = cx.with(|s| {
        s.live.set_node_clock(s.now, node.time_ms);
        trust::saw(s, &node);
        let nonce: [u8; 16] = s.random();
        let request = SessionRequest {
            user: me.user.clone(),
            device: me.device,
            time_ms: node.time_ms,
            nonce: Blob(nonce.to_vec()),
        };
        Signed::sign(&request, &me.device_key)
    });
    let granted: SessionGranted = http::open_post(cx, "sessions", &request).await?;
    if granted.user != me.user || granted.device != me.device {
        return Err(Failure::Nonsense("a session of somebody else"));
    }
    Ok(granted)
}

/// This token is not to be used again.
pub(crate) fn forget(cx: &Cx, token: &str) {
    cx.with(|s| {
        let same = s.load::<Session>(SESSION).is_some_and(|session| session.token == token);
        if same {
            drop_token(s);
        }
    });
}

/// The node does not know the token any more.
pub(crate) fn drop_token(s: &mut State) {
    s.kv_delete(SESSION);
}

/// A request was refused: perhaps because this device was signed out elsewhere. Whether it was is said where a session is asked
/// for, and nowhere else: an answer about something else may come from far away.
pub(crate) fn notice(cx: &Cx, failure: &Failure) {
    if failure.code() == Some(Code::DeviceRevoked) {
        cx.with(drop_token);
    }
}

/// The device key does not get a session. Only a node that says so plainly makes the device forget everything: a node that was
/// restored from an old backup does not know the device either, and must not cost anybody their history.
pub(crate) fn refused(s: &mut State, failure: &Failure) {
    if failure.code() == Some(Code::DeviceRevoked) {
        signed_out_remotely(s);
    }
}
