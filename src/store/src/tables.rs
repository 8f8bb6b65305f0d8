//! The catalogue: every table of a node, its key, its record and its owner, on one page.
//!
//! Numbers are on disk: a number is never reused, and a table that is dropped stays here as a tombstone. Numbers below 8 are
//! the store's own. Keys are bytewise ordered; `BE64(n)` is eight bytes, big-endian.

/// One ordered table. Cheap to copy; make one with an entry of the catalogue below.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Table {
    /// The number on disk.
    pub id: u8,
    /// The name in errors, metrics and `weft check`.
    pub name: &'static str,
}

/// Tables below this number belong to the store.
pub const RESERVED_IDS: u8 = 8;

impl Table {
    /// A table with a number and a name.
    #[must_use]
    pub const fn new(id: u8, name: &'static str) -> Self {
        Table { id, name }
    }
}

/// Declares tables, their documentation and the list [`ALL`], and fails to compile when two share a number.
macro_rules! tables {
    ($($name:ident = $id:literal, $text:literal, key: $key:literal, record: $record:literal, owner: $owner:literal;)*) => {
        $(
            #[doc = concat!("`", $text, "`: ", $key, " → ", $record, ". Owner: ", $owner, ".")]
            pub const $name: Table = Table::new($id, $text);
        )*
        /// Every table, in the order of this page.
        pub const ALL: &[Table] = &[$($name),*];
        const _: () = {
            // Two names for one number would mix two features' rows; better that it does not build.
            let mut seen = [false; 256];
            $(assert!(!seen[$id as usize], concat!("table number of ", $text, " is taken")); seen[$id as usize] = true;)*
        };
    };
}

tables! {
    // store
    IDEMPOTENCY       = 1, "store.idempotency",       key: "BLAKE3 of the caller's key", record: "sequence and numbers of the first commit", owner: "store";
    IDEMPOTENCY_ORDER = 2, "store.idempotency_order", key: "BE64(ordinal)",              record: "sequence, BLAKE3 of the caller's key",     owner: "store";
}

/// The catalogue's entry for a number, if there is one.
#[must_use]
pub fn by_id(id: u8) -> Option<Table> {
    ALL.iter().copied().find(|table| table.id == id)
}
