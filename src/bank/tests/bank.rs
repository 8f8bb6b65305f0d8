//! Files of banks, as they come and as nobody should believe them.
