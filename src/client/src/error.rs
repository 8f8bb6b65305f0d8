//! Why a client could not be started, or had to stop.

use std::{io, path::PathBuf};

/// What went wrong outside the engine. Answers of the node to a call are `weft_engine::api::CallError`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address of the node is not `http(s)://HOST[:PORT]`.
    #[error(
        "{0:?} is not the address of a node: write https://HOST or, on this machine, http://127.0.0.1:8440"
    )]
    Address(String),
    /// Plain HTTP beyond this machine, which would show tokens and who talks to whom to anyone on the way.
    #[error("{0} is not on this machine: use https, or allow plain HTTP explicitly")]
    PlainHttp(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// Another process uses this profile.
    #[error("the profile {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The profile or its key file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file is no profile, or was made with another key.
    #[error("{} is not a Weft profile, or belongs to another key file", .0.display())]
    NotAProfile(PathBuf),
    /// Damage before the end of the profile: something other than a cut-off write.
    #[error("the profile {} is damaged at byte {offset}; sign in again with a new one, nothing is lost on the node", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Where.
        offset: u64,
    },
    /// What was kept cannot be opened by this engine.
    #[error("the engine cannot open what is kept here: {0}")]
    Engine(String),
    /// The threads of this crate are gone: the process is ending.
    #[error("the client has stopped")]
    Stopped,
}
