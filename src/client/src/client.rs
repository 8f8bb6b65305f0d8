//! The handle of a running client.

use crate::address::Address;
use crate::driver::{Command, Driver};
use crate::http::Http;
use crate::keep::Keep;
use crate::{Error, threads};
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc, oneshot};
use weft_engine::api::{Call, CallError, Event, Reply};

/// Events that may wait for a slow listener before it is told that it has missed some.
const EVENTS_WAITING_MAX: usize = 4_096;
/// Calls that may wait for the engine.
const CALLS_WAITING_MAX: usize = 1_024;

/// How to start a [`Client`].
pub struct Options {
    /// `https://HOST[:PORT]`, or `http://` for a node on this machine.
    pub url: String,
    /// Where the state is kept.
    pub keep: Keep,
    /// Allows plain HTTP to another machine.
    pub plain_http: bool,
    /// Certificates that are trusted besides the public ones (DER).
    pub roots: Vec<Vec<u8>>,
    /// Entropy for the engine; none takes the system's. For tests that must repeat.
    pub seed: Option<[u8; 32]>,
}

impl Options {
    /// A client in memory.
    pub fn memory(url: impl Into<String>) -> Self {
        Options { url: url.into(), keep: Keep::memory(), plain_http: false, roots: Vec::new(), seed: None }
    }
}

/// One device of one person. Clones are handles of the same client; the last one that is dropped ends it.
#[derive(Clone)]
pub struct Client {
    commands: mpsc::Sender<Command>,
    events: broadcast::Sender<Event>,
}

impl Client {
    /// Opens what is kept and starts the engine, which connects as soon as somebody is signed in.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn start(options: Options) -> Result<Self, Error> {
        let address = Address::parse(&options.url, options.plain_http)?;
        let tls = tls(&options.roots)?;
        let seed = options.seed.unwrap_or_else(rand::random);
        let (commands, inbox) = mpsc::channel(CALLS_WAITING_MAX);
        let (events, _) = broadcast::channel(EVENTS_WAITING_MAX);
        let (ready, started) = oneshot::channel();
        let (keep, news) = (options.keep, events.clone());
        threads::spawn(move || async move {
            let http = Http::new(address.clone(), tls.clone());
            match Driver::open(keep, seed, address, http, Arc::new(tls), news) {
                Ok(driver) => {
                    if ready.send(Ok(())).is_ok() {
                        driver.run(inbox).await;
                    }
                }
                Err(error) => drop(ready.send(Err(error))),
            }
        })?;
        started.await.map_err(|_| Error::Stopped)??;
        Ok(Client { commands, events })
    }

    /// Asks the engine for something.
    ///
    /// # Errors
    /// As the engine or the node told it; `stopped` when the client has ended.
    pub async fn call(&self, call: Call) -> Result<Reply, CallError> {
        let (reply, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Call { call, reply }).await;
        if sent.is_err() {
            return Err(stopped());
        }
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }

    /// What happens from now on.
    pub fn events(&self) -> Events {
        Events(self.events.subscribe())
    }

    /// Ends the client: everything that was written is durable when this returns.
    pub async fn stop(self) {
        let (done, ended) = oneshot::channel();
        if self.commands.send(Command::Stop { done }).await.is_ok() {
            let _ = ended.await;
        }
    }
}

/// A listener to a client's events.
pub struct Events(broadcast::Receiver<Event>);

/// The listener was too slow and has missed this many events: ask for what is now instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed(pub u64);

impl Events {
    /// The next event; none when the client has ended.
    pub async fn next(&mut self) -> Option<Result<Event, Missed>> {
        match self.0.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(broadcast::error::RecvError::Lagged(missed)) => Some(Err(Missed(missed))),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

pub(crate) fn stopped() -> CallError {
    CallError {
        code: "stopped".into(),
        message: "The client has stopped.".into(),
        field: None,
        retry_after_ms: None,
    }
}

fn tls(extra: &[Vec<u8>]) -> Result<rustls::ClientConfig, rustls::Error> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(extra.iter().map(|der| der.clone().into()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
