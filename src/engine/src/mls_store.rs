//! OpenMLS over the engine's own state: storage, randomness, cryptography.
//!
//! The semantics are those of `openmls_memory_storage`. Every write goes through [`Kv`] and so becomes durable together
//! with whatever else the same input changed: a ratchet never moves without the cursor that it belongs to.

use crate::crypto::Crypto;
use crate::kv::{Kv, prefix};
use openmls_traits::{
    OpenMlsProvider,
    random::OpenMlsRand,
    storage::{CURRENT_VERSION as V, StorageProvider, traits},
};
use rand_core::CryptoRngCore;
use serde::{Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use weft_mls::config;
use weft_wire::{Blob, DecodeError, RoomId, decode, encode};
use zeroize::{Zeroize, Zeroizing};

/// Which state of a room's group. A device that joins anew keeps its old ones for a while, to read what was sent to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The one that goes on.
    Current,
    /// One from before joining anew, by its last epoch.
    Old(u64),
}

/// What OpenMLS works with. Made anew for each operation; it holds nothing itself.
pub(crate) struct MlsProvider<'a> {
    store: MlsStore<'a>,
    rand: MlsRand<'a>,
    crypto: Crypto,
}

impl<'a> MlsProvider<'a> {
    pub(crate) fn new(kv: &'a mut dyn Kv, rng: &'a mut dyn CryptoRngCore, slot: Slot) -> Self {
        let crypto = Crypto::new(rng);
        MlsProvider {
            store: MlsStore { kv: RefCell::new(kv), slot },
            rand: MlsRand(RefCell::new(rng)),
            crypto,
        }
    }
}

impl<'a> OpenMlsProvider for MlsProvider<'a> {
    type CryptoProvider = Crypto;
    type RandProvider = MlsRand<'a>;
    type StorageProvider = MlsStore<'a>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.store
    }

    fn crypto(&self) -> &Self::CryptoProvider {
        &self.crypto
    }

    fn rand(&self) -> &Self::RandProvider {
        &self.rand
    }
}

/// The injected randomness.
pub(crate) struct MlsRand<'a>(RefCell<&'a mut dyn CryptoRngCore>);

impl OpenMlsRand for MlsRand<'_> {
    type Error = rand_core::Error;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        let mut bytes = [0; N];
        self.0.borrow_mut().try_fill_bytes(&mut bytes)?;
        Ok(bytes)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
        let mut bytes = vec![0; len];
        self.0.borrow_mut().try_fill_bytes(&mut bytes)?;
        Ok(bytes)
    }
}

/// A value of OpenMLS does not encode or decode.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("a value of the group's state cannot be encoded")]
    Encode,
    #[error("a value of the group's state cannot be read")]
    Decode(#[from] DecodeError),
}

type Done = Result<(), StoreError>;
type Found<T> = Result<Option<T>, StoreError>;
type List = Vec<(Blob, Blob)>;

/// One letter a kind of value. Part of what is on disk.
mod label {
    pub const TREE: u8 = b't';
    pub const CONTEXT: u8 = b'c';
    pub const TRANSCRIPT: u8 = b'i';
    pub const TAG: u8 = b'f';
    pub const JOIN_CONFIG: u8 = b'j';
    pub const OWN_LEAVES: u8 = b'l';
    pub const OWN_INDEX: u8 = b'o';
    pub const STATE: u8 = b's';
    pub const SECRETS: u8 = b'm';
    pub const RESUMPTION: u8 = b'r';
    pub const EPOCH_SECRETS: u8 = b'e';
    pub const EPOCH_KEYS: u8 = b'k';
    pub const PROPOSALS: u8 = b'p';
}

const OF_GROUPS: u8 = b'g';
const OF_KEY_PACKAGES: u8 = b'k';
const OF_LEAF_KEYS: u8 = b'e';
const OF_SIGNATURE_KEYS: u8 = b's';
const OF_PSKS: u8 = b'p';

/// All keys of a room's group begin with this.
pub(crate) fn group_prefix(room: RoomId, slot: Slot) -> Vec<u8> {
    group_key(&config::group_id(room), slot)
}

fn group_key(group_id: &impl Serialize, slot: Slot) -> Vec<u8> {
    let mut key = global_key(OF_GROUPS, &());
    key.extend(encode(group_id));
    match slot {
        Slot::Current => key.push(b'a'),
        Slot::Old(epoch) => {
            key.push(b'o');
            key.extend(epoch.to_be_bytes());
        }
    }
    key
}

fn global_key(kind: u8, name: &impl Serialize) -> Vec<u8> {
    let mut key = prefix::MLS.to_vec();
    key.push(kind);
    key.extend(encode(name));
    key
}

/// All keys of a room's groups, whatever their slot, begin with this.
pub(crate) fn groups_prefix(room: RoomId) -> Vec<u8> {
    let mut key = global_key(OF_GROUPS, &());
    key.extend(encode(&config::group_id(room)));
    key
}

/// [`StorageProvider`] over [`Kv`], for one [`Slot`].
pub(crate) struct MlsStore<'a> {
    kv: RefCell<&'a mut dyn Kv>,
    slot: Slot,
}

impl MlsStore<'_> {
    fn put(&self, key: &[u8], value: &(impl Serialize + ?Sized)) -> Done {
        let bytes = encode(value);
        if bytes.is_empty() {
            return Err(StoreError::Encode);
        }
        self.kv.borrow_mut().put(key, bytes);
        Ok(())
    }

    fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Found<T> {
        match self.kv.borrow().get(key).map(Zeroizing::new) {
            Some(bytes) => Ok(Some(decode(&bytes, usize::MAX)?)),
            None => Ok(None),
        }
    }

    fn remove(&self, key: &[u8]) -> Done {
        self.kv.borrow_mut().delete(key);
        Ok(())
    }

    fn in_group(&self, group_id: &impl Serialize, label: u8) -> Vec<u8> {
        let mut key = group_key(group_id, self.slot);
        key.push(label);
        key
    }

    fn epoch_keys(&self, group_id: &impl Serialize, epoch: &impl Serialize, leaf: u32) -> Vec<u8> {
        let mut key = self.in_group(group_id, label::EPOCH_KEYS);
        key.extend(encode(&(epoch, leaf)));
        key
    }

    fn change_list(&self, key: &[u8], change: impl FnOnce(&mut List)) -> Done {
        let mut list: List = self.get(key)?.unwrap_or_default();
        change(&mut list);
        let done = self.put(key, &list);
        list.iter_mut().for_each(|(_, value)| value.0.zeroize());
        done
    }

    fn list<A: DeserializeOwned, B: DeserializeOwned>(&self, key: &[u8]) -> Result<Vec<(A, B)>, StoreError> {
        let list: List = self.get(key)?.unwrap_or_default();
        list.iter().map(|(a, b)| Ok((decode(&a.0, usize::MAX)?, decode(&b.0, usize::MAX)?))).collect()
    }
}

/// Values that a group has one of. The trait's methods differ in the order of their type parameters, hence two arms.
macro_rules! value_of_group {
    (value first: $bound:ident, $label:ident, $read:ident, $write:ident, $delete:ident) => {
        fn $read<T: traits::$bound<V>, G: traits::GroupId<V>>(&self, group_id: &G) -> Found<T> {
            self.get(&self.in_group(group_id, label::$label))
        }
        fn $write<T: traits::$bound<V>, G: traits::GroupId<V>>(&self, group_id: &G, value: &T) -> Done {
            self.put(&self.in_group(group_id, label::$label), value)
        }
        value_of_group!(delete: $label, $delete);
    };
    (group first: $bound:ident, $label:ident, $read:ident, $write:ident, $delete:ident) => {
        fn $read<G: traits::GroupId<V>, T: traits::$bound<V>>(&self, group_id: &G) -> Found<T> {
            self.get(&self.in_group(group_id, label::$label))
        }
        fn $write<G: traits::GroupId<V>, T: traits::$bound<V>>(&self, group_id: &G, value: &T) -> Done {
            self.put(&self.in_group(group_id, label::$label), value)
        }
        value_of_group!(delete: $label, $delete);
    };
    (delete: $label:ident, $delete:ident) => {
        fn $delete<G: traits::GroupId<V>>(&self, group_id: &G) -> Done {
            self.remove(&self.in_group(group_id, label::$label))
        }
    };
}

/// Values by a name of their own.
macro_rules! value_by_name {
    ($kind:ident, $name:ident, $bound:ident, $write:ident, $delete:ident) => {
        fn $write<N: traits::$name<V>, T: traits::$bound<V>>(&self, name: &N, value: &T) -> Done {
            self.put(&global_key($kind, name), value)
        }
        fn $delete<N: traits::$name<V>>(&self, name: &N) -> Done {
            self.remove(&global_key($kind, name))
        }
    };
}

impl StorageProvider<V> for MlsStore<'_> {
    type Error = StoreError;

    value_of_group!(group first: TreeSync, TREE, tree, write_tree, delete_tree);
    value_of_group!(group first: GroupContext, CONTEXT, group_context, write_context, delete_context);
    value_of_group!(group first: InterimTranscriptHash, TRANSCRIPT,
        interim_transcript_hash, write_interim_transcript_hash, delete_interim_transcript_hash);
    value_of_group!(group first: ConfirmationTag, TAG, confirmation_tag, write_confirmation_tag, delete_confirmation_tag);
    value_of_group!(group first: MlsGroupJoinConfig, JOIN_CONFIG,
        mls_group_join_config, write_mls_join_config, delete_group_config);
    value_of_group!(value first: GroupState, STATE, group_state, write_group_state, delete_group_state);
    value_of_group!(group first: MessageSecrets, SECRETS, message_secrets, write_message_secrets, delete_message_secrets);
    value_of_group!(group first: ResumptionPskStore, RESUMPTION,
        resumption_psk_store, write_resumption_psk_store, delete_all_resumption_psk_secrets);
    value_of_group!(group first: LeafNodeIndex, OWN_INDEX, own_leaf_index, write_own_leaf_index, delete_own_leaf_index);
    value_of_group!(group first: GroupEpochSecrets, EPOCH_SECRETS,
        group_epoch_secrets, write_group_epoch_secrets, delete_group_epoch_secrets);
    value_of_group!(delete: OWN_LEAVES, delete_own_leaf_nodes);

    value_by_name!(OF_KEY_PACKAGES, HashReference, KeyPackage, write_key_package, delete_key_package);
    value_by_name!(
        OF_LEAF_KEYS,
        EncryptionKey,
        HpkeKeyPair,
        write_encryption_key_pair,
        delete_encryption_key_pair
    );
    value_by_name!(
        OF_SIGNATURE_KEYS,
        SignaturePublicKey,
        SignatureKeyPair,
        write_signature_key_pair,
        delete_signature_key_pair
    );
    value_by_name!(OF_PSKS, PskId, PskBundle, write_psk, delete_psk);

    fn key_package<N: traits::HashReference<V>, T: traits::KeyPackage<V>>(&self, name: &N) -> Found<T> {
        self.get(&global_key(OF_KEY_PACKAGES, name))
    }

    fn encryption_key_pair<T: traits::HpkeKeyPair<V>, N: traits::EncryptionKey<V>>(
        &self,
        name: &N,
    ) -> Found<T> {
        self.get(&global_key(OF_LEAF_KEYS, name))
    }

    fn signature_key_pair<N: traits::SignaturePublicKey<V>, T: traits::SignatureKeyPair<V>>(
        &self,
        name: &N,
    ) -> Found<T> {
        self.get(&global_key(OF_SIGNATURE_KEYS, name))
    }

    fn psk<T: traits::PskBundle<V>, N: traits::PskId<V>>(&self, name: &N) -> Found<T> {
        self.get(&global_key(OF_PSKS, name))
    }

    fn own_leaf_nodes<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        group_id: &G,
    ) -> Result<Vec<T>, StoreError> {
        let list: Vec<((), T)> = self.list(&self.in_group(group_id, label::OWN_LEAVES))?;
        Ok(list.into_iter().map(|(_, leaf)| leaf).collect())
    }

    fn append_own_leaf_node<G: traits::GroupId<V>, T: traits::LeafNode<V>>(
        &self,
        group_id: &G,
        leaf: &T,
    ) -> Done {
        let key = self.in_group(group_id, label::OWN_LEAVES);
        self.change_list(&key, |list| list.push((Blob(encode(&())), Blob(encode(leaf)))))
    }

    fn write_encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        group_id: &G,
        epoch: &E,
        leaf_index: u32,
        key_pairs: &[T],
    ) -> Done {
        self.put(&self.epoch_keys(group_id, epoch, leaf_index), key_pairs)
    }

    fn encryption_epoch_key_pairs<
        G: traits::GroupId<V>,
        E: traits::EpochKey<V>,
        T: traits::HpkeKeyPair<V>,
    >(
        &self,
        group_id: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Result<Vec<T>, StoreError> {
        Ok(self.get(&self.epoch_keys(group_id, epoch, leaf_index))?.unwrap_or_default())
    }

    fn delete_encryption_epoch_key_pairs<G: traits::GroupId<V>, E: traits::EpochKey<V>>(
        &self,
        group_id: &G,
        epoch: &E,
        leaf_index: u32,
    ) -> Done {
        self.remove(&self.epoch_keys(group_id, epoch, leaf_index))
    }

    fn queue_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>, Q: traits::QueuedProposal<V>>(
        &self,
        group_id: &G,
        proposal_ref: &R,
        proposal: &Q,
    ) -> Done {
        let key = self.in_group(group_id, label::PROPOSALS);
        self.change_list(&key, |list| list.push((Blob(encode(proposal_ref)), Blob(encode(proposal)))))
    }

    fn queued_proposal_refs<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group_id: &G,
    ) -> Result<Vec<R>, StoreError> {
        let list: List = self.get(&self.in_group(group_id, label::PROPOSALS))?.unwrap_or_default();
        list.iter().map(|(reference, _)| Ok(decode(&reference.0, usize::MAX)?)).collect()
    }

    fn queued_proposals<G: traits::GroupId<V>, R: traits::ProposalRef<V>, Q: traits::QueuedProposal<V>>(
        &self,
        group_id: &G,
    ) -> Result<Vec<(R, Q)>, StoreError> {
        self.list(&self.in_group(group_id, label::PROPOSALS))
    }

    fn remove_proposal<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(
        &self,
        group_id: &G,
        proposal_ref: &R,
    ) -> Done {
        let (key, name) = (self.in_group(group_id, label::PROPOSALS), encode(proposal_ref));
        self.change_list(&key, |list| list.retain(|(reference, _)| reference.0 != name))
    }

    fn clear_proposal_queue<G: traits::GroupId<V>, R: traits::ProposalRef<V>>(&self, group_id: &G) -> Done {
        self.remove(&self.in_group(group_id, label::PROPOSALS))
    }
}
