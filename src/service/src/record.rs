//! The first version of a record, in one line. A second version stands beside it: see [`weft_store::record`].

/// `first_version!(AccountRecord)`: version 1, with nothing before it.
macro_rules! first_version {
    ($($record:ty),*) => {$(
        impl weft_store::record::Versioned for $record {
            const VERSION: u8 = 1;
            type Previous = weft_store::record::First;
            fn migrate(never: weft_store::record::First) -> Self {
                match never {}
            }
        }
    )*};
}
pub(crate) use first_version;
