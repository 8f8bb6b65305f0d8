//! Encrypting what this device says.

use super::{
    RoomCtx, RoomError,
    record::{Stage, Unsent, meta, read, unsent_key, write},
};
use crate::mls_store::Slot;
use weft_mls::member;
use weft_wire::{
    Blob, MessageId, RoomId, Signed,
    content::Content,
    encode, limits,
    rooms::{EntryKind, Envelope},
};
use zeroize::Zeroizing;

/// Encrypts a message and keeps the envelope until it comes back in the log. Asked again for the same id: the same bytes,
/// or, when the epoch has moved on meanwhile, a new encryption under the same id.
///
/// # Errors
/// [`RoomError::NoRoom`], [`RoomError::NotActive`], [`RoomError::TooLarge`], [`RoomError::Mls`].
pub fn encrypt(
    ctx: &mut RoomCtx<'_>,
    room: RoomId,
    content: &Content,
) -> Result<Signed<Envelope>, RoomError> {
    let meta = meta(ctx.kv, room)?;
    if meta.stage != Stage::Active {
        return Err(RoomError::NotActive);
    }
    let key = unsent_key(room, content.id);
    if let Some(kept) = read::<Unsent>(ctx.kv, &key)?
        && kept.epoch == meta.epoch
    {
        return Ok(kept.envelope);
    }
    let plaintext = Zeroizing::new(encode(content));
    let max = limits::MESSAGE_BYTES_MAX;
    if plaintext.len() > max {
        return Err(RoomError::TooLarge { len: plaintext.len(), max });
    }
    ctx.atomic(|ctx| {
        let mut group = ctx.group(room)?;
        let me = ctx.me;
        let body = member::seal(&ctx.provider(Slot::Current), me.identity(), &mut group, &plaintext)?;
        if body.len() > max {
            return Err(RoomError::TooLarge { len: body.len(), max });
        }
        let envelope = sign(ctx, room, content.id, EntryKind::Message, meta.epoch, body);
        write(ctx.kv, &key, &Unsent { epoch: meta.epoch, envelope: envelope.clone() });
        Ok(envelope)
    })
}

/// Lets go of an envelope that is not to be sent any more.
pub fn forget_message(ctx: &mut RoomCtx<'_>, room: RoomId, message: MessageId) {
    ctx.kv.delete(&unsent_key(room, message));
}

/// Puts an MLSMessage into an envelope and signs it.
pub(super) fn sign(
    ctx: &RoomCtx<'_>,
    room: RoomId,
    message_id: MessageId,
    kind: EntryKind,
    epoch: u64,
    body: Vec<u8>,
) -> Signed<Envelope> {
    let envelope = Envelope {
        room,
        sender: ctx.me.user.clone(),
        device: ctx.me.device,
        message_id,
        kind,
        epoch,
        body: Blob(body),
    };
    Signed::sign(&envelope, &ctx.me.key)
}
