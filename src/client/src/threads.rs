//! Two threads carry all clients of a process. An engine is not `Send` (its flows are plain futures over shared state), so
//! each client lives its whole life on one of them.

use crate::Error;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::mpsc;

type Job = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

const THREADS: usize = 2;

/// Runs a future that is made on one of the threads, in turn, and stays there.
pub(crate) fn spawn<F, Fut>(make: F) -> Result<(), Error>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    static THREADS_OF_PROCESS: OnceLock<Vec<mpsc::UnboundedSender<Job>>> = OnceLock::new();
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let threads = THREADS_OF_PROCESS.get_or_init(|| (0..THREADS).filter_map(start).collect());
    let thread = NEXT.fetch_add(1, Ordering::Relaxed).checked_rem(threads.len()).and_then(|n| threads.get(n));
    let job: Job = Box::new(move || Box::pin(make()));
    thread.ok_or(Error::Stopped)?.send(job).map_err(|_| Error::Stopped)
}

fn start(number: usize) -> Option<mpsc::UnboundedSender<Job>> {
    let (sender, mut jobs) = mpsc::unbounded_channel::<Job>();
    let thread = std::thread::Builder::new().name(format!("weft-client-{number}"));
    let body = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        tokio::task::LocalSet::new().block_on(&runtime, async move {
            while let Some(job) = jobs.recv().await {
                tokio::task::spawn_local(job());
            }
        });
    };
    thread.spawn(body).ok().map(|_| sender)
}
