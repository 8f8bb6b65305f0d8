//! Where OpenMLS keeps the public state of one group: four values in memory, one byte string outside.

use crate::MlsError;
use openmls_traits::{
    public_storage::PublicStorageProvider,
    storage::{CURRENT_VERSION, Entity, traits},
};
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use weft_wire::{Blob, DecodeError, decode, encode};

/// The most bytes of a hub's state of one group: a tree of [`weft_wire::limits::ROOM_MEMBERS_MAX`] people. serde writes
/// the byte vectors of OpenMLS as lists of numbers, hence up to twice the size of the GroupInfo, and then some.
pub(crate) const STATE_BYTES_MAX: usize = 4 * weft_wire::limits::GROUP_INFO_BYTES_MAX;

/// The version of [`State`]. Another one is refused, never guessed at.
const STATE_VERSION: u32 = 1;

/// What a hub keeps of a group, each value as OpenMLS' serde form in CBOR.
#[derive(Clone, Default, Serialize, Deserialize)]
struct State {
    version: u32,
    tree: Option<Blob>,
    context: Option<Blob>,
    transcript: Option<Blob>,
    tag: Option<Blob>,
}

/// The storage of one [`openmls::prelude::PublicGroup`]. Proposals are not kept: there are none outside commits.
#[derive(Default)]
pub(crate) struct PublicStore(RefCell<State>);

impl PublicStore {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        encode(&State { version: STATE_VERSION, ..self.0.borrow().clone() })
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, MlsError> {
        let state: State = decode(bytes, STATE_BYTES_MAX).map_err(MlsError::State)?;
        if state.version != STATE_VERSION {
            return Err(MlsError::Incomplete);
        }
        Ok(PublicStore(RefCell::new(state)))
    }

    fn write(
        &self,
        field: impl Fn(&mut State) -> &mut Option<Blob>,
        value: &impl Serialize,
    ) -> Result<(), StoreError> {
        let bytes = encode(value);
        if bytes.is_empty() {
            return Err(StoreError::Encode);
        }
        *field(&mut self.0.borrow_mut()) = Some(Blob(bytes));
        Ok(())
    }

    fn read<T: Entity<CURRENT_VERSION>>(
        &self,
        field: impl Fn(&State) -> &Option<Blob>,
    ) -> Result<Option<T>, StoreError> {
        match field(&self.0.borrow()) {
            Some(bytes) => Ok(Some(decode(bytes.as_slice(), STATE_BYTES_MAX)?)),
            None => Ok(None),
        }
    }
}

/// The stored state does not encode or decode.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("a value cannot be encoded")]
    Encode,
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

type Done = Result<(), StoreError>;

impl PublicStorageProvider<CURRENT_VERSION> for PublicStore {
    type PublicError = StoreError;

    fn write_tree<G: traits::GroupId<CURRENT_VERSION>, T: traits::TreeSync<CURRENT_VERSION>>(
        &self,
        _group_id: &G,
        tree: &T,
    ) -> Done {
        self.write(|state| &mut state.tree, tree)
    }

    fn write_interim_transcript_hash<
        G: traits::GroupId<CURRENT_VERSION>,
        I: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        _group_id: &G,
        interim_transcript_hash: &I,
    ) -> Done {
        self.write(|state| &mut state.transcript, interim_transcript_hash)
    }

    fn write_context<G: traits::GroupId<CURRENT_VERSION>, C: traits::GroupContext<CURRENT_VERSION>>(
        &self,
        _group_id: &G,
        group_context: &C,
    ) -> Done {
        self.write(|state| &mut state.context, group_context)
    }

    fn write_confirmation_tag<
        G: traits::GroupId<CURRENT_VERSION>,
        C: traits::ConfirmationTag<CURRENT_VERSION>,
    >(
        &self,
        _group_id: &G,
        confirmation_tag: &C,
    ) -> Done {
        self.write(|state| &mut state.tag, confirmation_tag)
    }

    fn queue_proposal<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        Q: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _group_id: &G,
        _proposal_ref: &R,
        _proposal: &Q,
    ) -> Done {
        Ok(())
    }

    fn queued_proposals<
        G: traits::GroupId<CURRENT_VERSION>,
        R: traits::ProposalRef<CURRENT_VERSION>,
        Q: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        _group_id: &G,
    ) -> Result<Vec<(R, Q)>, StoreError> {
        Ok(Vec::new())
    }

    fn tree<G: traits::GroupId<CURRENT_VERSION>, T: traits::TreeSync<CURRENT_VERSION>>(
        &self,
        _group_id: &G,
    ) -> Result<Option<T>, StoreError> {
        self.read(|state| &state.tree)
    }

    fn group_context<G: traits::GroupId<CURRENT_VERSION>, C: traits::GroupContext<CURRENT_VERSION>>(
        &self,
        _group_id: &G,
    ) -> Result<Option<C>, StoreError> {
        self.read(|state| &state.context)
    }

    fn interim_transcript_hash<
        G: traits::GroupId<CURRENT_VERSION>,
        I: traits::InterimTranscriptHash<CURRENT_VERSION>,
    >(
        &self,
        _group_id: &G,
    ) -> Result<Option<I>, StoreError> {
        self.read(|state| &state.transcript)
    }

    fn confirmation_tag<G: traits::GroupId<CURRENT_VERSION>, C: traits::ConfirmationTag<CURRENT_VERSION>>(
        &self,
        _group_id: &G,
    ) -> Result<Option<C>, StoreError> {
        self.read(|state| &state.tag)
    }

    fn delete_tree<G: traits::GroupId<CURRENT_VERSION>>(&self, _group_id: &G) -> Done {
        self.0.borrow_mut().tree = None;
        Ok(())
    }

    fn delete_confirmation_tag<G: traits::GroupId<CURRENT_VERSION>>(&self, _group_id: &G) -> Done {
        self.0.borrow_mut().tag = None;
        Ok(())
    }

    fn delete_context<G: traits::GroupId<CURRENT_VERSION>>(&self, _group_id: &G) -> Done {
        self.0.borrow_mut().context = None;
        Ok(())
    }

    fn delete_interim_transcript_hash<G: traits::GroupId<CURRENT_VERSION>>(&self, _group_id: &G) -> Done {
        self.0.borrow_mut().transcript = None;
        Ok(())
    }

    fn remove_proposal<G: traits::GroupId<CURRENT_VERSION>, R: traits::ProposalRef<CURRENT_VERSION>>(
        &self,
        _group_id: &G,
        _proposal_ref: &R,
    ) -> Done {
        Ok(())
    }

    fn clear_proposal_queue<G: traits::GroupId<CURRENT_VERSION>, R: traits::ProposalRef<CURRENT_VERSION>>(
        &self,
        _group_id: &G,
    ) -> Done {
        Ok(())
    }
}
