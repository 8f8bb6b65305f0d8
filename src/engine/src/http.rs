//! Requests to the own node, with typed bodies and answers.

use crate::account::session;
use crate::host::{NoAnswer, Response};
use crate::rooms::RoomError;
use crate::runtime::Cx;
use serde::{Serialize, de::DeserializeOwned};
use std::pin::Pin;
use weft_wire::{API_PREFIX, Code, Millis, Problem, limits};

/// The largest answer that is decoded: a page of the log.
const ANSWER_BYTES_MAX: usize = 8 * limits::SERVER_FRAME_BYTES_MAX;

/// Why a request did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// No network, or the node did not answer in time. Whether it has acted is unknown.
    #[error("the node cannot be reached")]
    NoAnswer,
    /// The node says no.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// A room of this device does not do what it should.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// What came is no answer of a Weft node, or one that cannot be true.
    #[error("the node's answer makes no sense: {0}")]
    Nonsense(&'static str),
}

impl Failure {
    /// The node's code, if it said no.
    pub fn code(&self) -> Option<Code> {
        match self {
            Failure::Problem(problem) => Some(problem.code),
            _ => None,
        }
    }

    /// Whether the node understood and refused for good: trying the same again would not help. A session that has ended is
    /// none of the request's fault.
    pub fn is_final(&self) -> bool {
        match self {
            Failure::Problem(problem) => {
                let later = matches!(
                    problem.code,
                    Code::Unauthenticated | Code::DeviceRevoked | Code::RateLimited | Code::SlowReader
                );
                (400..500).contains(&problem.status) && problem.status != 429 && !later
            }
            _ => false,
        }
    }

    /// What the node said beside its code.
    pub fn detail(&self) -> Option<&str> {
        match self {
            Failure::Problem(problem) => problem.detail.as_deref(),
            _ => None,
        }
    }

    /// What holds at the node instead, where it says so.
    pub fn current(&self) -> Option<u64> {
        match self {
            Failure::Problem(problem) => problem.current,
            _ => None,
        }
    }

    /// When the node wants to be asked again.
    pub fn retry_after_ms(&self) -> Option<Millis> {
        match self {
            Failure::Problem(problem) => problem.retry_after_ms,
            _ => None,
        }
    }
}

impl From<NoAnswer> for Failure {
    fn from(_: NoAnswer) -> Self {
        Failure::NoAnswer
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Failure::Problem(Box::new(problem))
    }
}

/// `GET`, with a session.
pub(crate) async fn get<A: DeserializeOwned>(cx: &Cx, path: &str) -> Result<A, Failure> {
    decode(&with_session(cx, "GET", path, None).await?)
}

/// `POST`, with a session.
pub(crate) async fn post<B: Serialize, A: DeserializeOwned>(
    cx: &Cx,
    path: &str,
    body: &B,
) -> Result<A, Failure> {
    decode(&with_session(cx, "POST", path, Some(weft_wire::encode(body))).await?)
}

/// `POST` of what is encoded already, with a session. What comes is for [`read`].
pub(crate) async fn post_bytes(cx: &Cx, path: &str, body: Vec<u8>) -> Result<Vec<u8>, Failure> {
    with_session(cx, "POST", path, Some(body)).await
}

/// An answer of [`post_bytes`].
pub(crate) fn read<A: DeserializeOwned>(answer: &[u8]) -> Result<A, Failure> {
    decode(answer)
}

/// `POST` without a body, with a session.
pub(crate) async fn post_empty<A: DeserializeOwned>(cx: &Cx, path: &str) -> Result<A, Failure> {
    decode(&with_session(cx, "POST", path, None).await?)
}

/// A request with a session whose answer has no content that matters.
pub(crate) async fn tell<B: Serialize>(
    cx: &Cx,
    method: &'static str,
    path: &str,
    body: Option<&B>,
) -> Result<(), Failure> {
    with_session(cx, method, path, body.map(|body| weft_wire::encode(body))).await.map(|_| ())
}

/// The same of what is encoded already: one function for many kinds of bodies.
pub(crate) async fn send(cx: &Cx, method: &'static str, path: &str, body: Vec<u8>) -> Result<(), Failure> {
    with_session(cx, method, path, Some(body)).await.map(|_| ())
}

/// `GET` before anybody has signed in.
pub(crate) async fn open_get<A: DeserializeOwned>(cx: &Cx, path: &str) -> Result<A, Failure> {
    decode(&checked(cx.request("GET", format!("{API_PREFIX}/{path}"), None, None).await?)?)
}

/// `POST` before anybody has signed in.
pub(crate) async fn open_post<B: Serialize, A: DeserializeOwned>(
    cx: &Cx,
    path: &str,
    body: &B,
) -> Result<A, Failure> {
    let body = Some(weft_wire::encode(body));
    decode(&checked(cx.request("POST", format!("{API_PREFIX}/{path}"), None, body).await?)?)
}

/// `POST` before anybody has signed in, whose answer has no content that matters.
pub(crate) async fn open_tell<B: Serialize>(cx: &Cx, path: &str, body: &B) -> Result<(), Failure> {
    let body = Some(weft_wire::encode(body));
    checked(cx.request("POST", format!("{API_PREFIX}/{path}"), None, body).await?).map(|_| ())
}

/// In a box: what waits for an answer is a pointer then, in each of the hundred flows that ask for something.
fn with_session<'a>(
    cx: &'a Cx,
    method: &'static str,
    path: &'a str,
    body: Option<Vec<u8>>,
) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + 'a>> {
    Box::pin(async move {
        let path = format!("{API_PREFIX}/{path}");
        let token = session::token(cx).await?;
        let first = checked(cx.request(method, path.clone(), Some(token.clone()), body.clone()).await?);
        match first {
            // A session can end before its time (the node was restored from a backup): one new one, then the answer counts.
            Err(failure) if failure.code() == Some(Code::Unauthenticated) => {
                session::forget(cx, &token);
                let token = session::token(cx).await?;
                let second = checked(cx.request(method, path, Some(token), body).await?);
                second.inspect_err(|failure| session::notice(cx, failure))
            }
            other => other.inspect_err(|failure| session::notice(cx, failure)),
        }
    })
}

fn checked(response: Response) -> Result<Vec<u8>, Failure> {
    if (200..300).contains(&response.status) {
        return Ok(response.body);
    }
    match weft_wire::decode::<Problem>(&response.body, ANSWER_BYTES_MAX) {
        Ok(mut problem) => {
            problem.status = response.status;
            Err(problem.into())
        }
        // A proxy in between answers in its own words.
        Err(_) if response.status >= 500 => Err(Failure::NoAnswer),
        Err(_) => Err(Failure::Nonsense("neither a result nor a problem")),
    }
}

fn decode<A: DeserializeOwned>(body: &[u8]) -> Result<A, Failure> {
    weft_wire::decode(body, ANSWER_BYTES_MAX).map_err(|_| Failure::Nonsense("not what was asked for"))
}
