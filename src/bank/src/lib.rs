//! What an operator's bank says, read strictly: creditor references (ISO 11649).

mod reference;

pub use reference::{BODY_LEN_MAX, FOUND_MAX, Reference, ReferenceError, SEARCH_BYTES_MAX, TYPED_BYTES_MAX};
