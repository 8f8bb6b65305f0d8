//! MLS (RFC 9420) as Weft uses it: credentials, group policy, the public view of a group that a hub keeps.
