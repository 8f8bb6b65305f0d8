//! What can go wrong in every feature alike. Each feature has its own error, which holds this one for the rest.

use weft_store::record::RecordError;
use weft_wire::{Code, Millis, NodeName, Problem};

/// A fault that is not about the request, or a bound that holds everywhere.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Fault {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] weft_store::Error),
    /// A stored record is not what its table says.
    #[error("a record cannot be read")]
    Record(#[from] RecordError),
    /// Too many requests of this kind.
    #[error("too many requests; try again in {retry_after_ms} ms")]
    RateLimited {
        /// When the next one has a chance.
        retry_after_ms: Millis,
    },
    /// An account has written what it may in a day.
    #[error("as much was written as an account may in a day; there is room again in {retry_after_ms} ms")]
    WrittenTooMuch {
        /// When there is room for what was refused.
        retry_after_ms: Millis,
    },
    /// What an account may keep here is full.
    #[error("{what}: {max_mib} MiB are full")]
    Full {
        /// Of what.
        what: &'static str,
        /// What is allowed.
        max_mib: u32,
    },
    /// A field or a request over its bound.
    #[error("{what} of {len} bytes where {max} are allowed")]
    TooLarge {
        /// Which field.
        what: &'static str,
        /// What came, in bytes.
        len: usize,
        /// What is allowed.
        max: usize,
    },
    /// A count over its bound.
    #[error("more than {max} {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// What is allowed.
        max: usize,
    },
    /// A field that cannot be right.
    #[error("{field}: {why}")]
    Invalid {
        /// Its name on the wire.
        field: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The node has another key than before.
    #[error(
        "node.key is not the key of this store: it makes the node {now}, and the data is that of {of}. Put node.key back from a \
         backup: it is the file node.key there"
    )]
    OtherKey {
        /// The node whose data it is, by its key.
        of: NodeName,
        /// The one that the key makes.
        now: NodeName,
    },
    /// The node is called otherwise than when people signed up.
    #[error(
        "the accounts of this node are called NAME@{was}, and its name is set to {now}: the name cannot change any more. Set it \
         back to {was} (`name` under `[node]`; empty if that is a peer id)"
    )]
    Renamed {
        /// The name in the accounts' addresses.
        was: String,
        /// The name that is configured.
        now: String,
    },
    /// A backup cannot be put back by this clock.
    #[error(
        "the clock of this machine cannot be right: {0}. What a restored node numbers goes on behind the present time. Set the clock \
         (`date` shows what it says), then restore once more"
    )]
    Clock(&'static str),
    /// A fault of the node itself. Says where, never with what data.
    #[error("internal fault: {0}")]
    Internal(&'static str),
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Problem {
        use weft_store::Error as Store;
        match fault {
            Fault::Store(Store::Contended { .. } | Store::Conflict { .. }) => Problem::new(Code::Conflict),
            Fault::Store(Store::TooLarge { what, len, max }) => {
                Problem::new(Code::TooLarge).detail(format_args!("{what}: {len} of at most {max}"))
            }
            Fault::Store(
                Store::DiskFull | Store::Failed(_) | Store::Closed | Store::Index(_) | Store::Io { .. },
            ) => Problem::new(Code::StorageUnavailable),
            Fault::Store(_)
            | Fault::Record(_)
            | Fault::Internal(_)
            | Fault::OtherKey { .. }
            | Fault::Renamed { .. }
            | Fault::Clock(_) => Problem::new(Code::Internal),
            Fault::RateLimited { retry_after_ms } => {
                Problem::new(Code::RateLimited).retry_after_ms(retry_after_ms)
            }
            Fault::WrittenTooMuch { retry_after_ms } => Problem::new(Code::RateLimited)
                .retry_after_ms(retry_after_ms)
                .detail("as much was written as an account may in a day"),
            Fault::Full { what, max_mib } => {
                Problem::new(Code::Quota).detail(format_args!("{what}: at most {max_mib} MiB"))
            }
            Fault::TooLarge { what, len, max } => {
                Problem::new(Code::TooLarge).field(what).detail(format_args!("{len} of at most {max} bytes"))
            }
            Fault::TooMany { what, max } => {
                Problem::new(Code::TooMany).detail(format_args!("at most {max} {what}"))
            }
            Fault::Invalid { field, why } => Problem::new(Code::InvalidField).field(field).detail(why),
        }
    }
}

/// Lets `?` and [`weft_store::Store::transact`] turn what lies below into a feature's error.
macro_rules! from_below {
    ($error:ty) => {
        impl From<weft_store::Error> for $error {
            fn from(error: weft_store::Error) -> Self {
                $crate::Fault::from(error).into()
            }
        }
        impl From<weft_store::record::RecordError> for $error {
            fn from(error: weft_store::record::RecordError) -> Self {
                $crate::Fault::from(error).into()
            }
        }
    };
}
pub(crate) use from_below;

/// Refuses a byte string over its bound, before anything is done with it.
pub(crate) fn within(what: &'static str, len: usize, max: usize) -> Result<(), Fault> {
    if len > max { Err(Fault::TooLarge { what, len, max }) } else { Ok(()) }
}

/// Refuses a count over its bound.
pub(crate) fn at_most(what: &'static str, count: usize, max: usize) -> Result<(), Fault> {
    if count > max { Err(Fault::TooMany { what, max }) } else { Ok(()) }
}
