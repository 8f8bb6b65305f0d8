//! Named background workers: each has a name, an interval, a status and ends when it is told to.

use crate::{Service, flows::FlowError};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// What there is to do in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Worker {
    /// Trims room logs that every device has passed, or whose retention is over.
    Retention,
    /// Removes used tickets, ended sessions, invites and links that are over, Welcomes of commits that never came.
    Sweep,
    /// Finishes sign-outs that a stop cut short.
    SignOuts,
    /// Gives back transfers that nobody has accepted in time, and collects what is due by mandates.
    Payments,
    /// Signs what the ledger was at the end of each day, and shows it to the nodes with which there are links.
    Roots,
    /// Forgets rate limits that are full again.
    Limits,
}

impl Worker {
    /// Every worker.
    pub const ALL: &'static [Worker] = &[
        Worker::Retention,
        Worker::Sweep,
        Worker::SignOuts,
        Worker::Payments,
        Worker::Roots,
        Worker::Limits,
    ];

    /// The name in logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Worker::Retention => "retention",
            Worker::Sweep => "sweep",
            Worker::SignOuts => "sign_outs",
            Worker::Payments => "payments",
            Worker::Roots => "roots",
            Worker::Limits => "limits",
        }
    }

    /// Time between two rounds. The first round is at the start.
    fn interval(self) -> Duration {
        match self {
            Worker::Retention => Duration::from_secs(10 * 60),
            Worker::Sweep => Duration::from_secs(60 * 60),
            Worker::SignOuts => Duration::from_secs(5 * 60),
            Worker::Payments => Duration::from_secs(60),
            Worker::Roots => Duration::from_secs(60),
            Worker::Limits => Duration::from_secs(60),
        }
    }

    /// One round. Gives how much was done: rows removed, sign-outs finished.
    ///
    /// # Errors
    /// What stopped it; the next round tries again.
    pub async fn run_once(self, service: &Service) -> Result<u64, FlowError> {
        match self {
            Worker::Retention => Ok(service.rooms().sweep().await?),
            Worker::Sweep => {
                let accounts = service.accounts().sweep().await?;
                let invites = service.invites().sweep().await?;
                let links = service.contacts().sweep().await?;
                let welcomes = service.flows().sweep().await?;
                let strangers = service.federation().sweep().await?;
                Ok(accounts + invites + links + welcomes + strangers)
            }
            Worker::SignOuts => service.flows().resume_sign_outs().await,
            Worker::Payments => {
                let expired = service.wallet().expire().await?;
                Ok(expired + service.flows().collect_due().await?)
            }
            Worker::Roots => {
                let made = service.wallet().close_days().await?;
                Ok(made + service.flows().show_roots().await?)
            }
            Worker::Limits => {
                service.limits().shrink();
                Ok(0)
            }
        }
    }
}

/// How a worker is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerStatus {
    /// Its name.
    pub name: &'static str,
    /// Rounds that went well.
    pub rounds: u64,
    /// What it has done in all its rounds (rows removed, sign-outs finished).
    pub done: u64,
    /// What went wrong in the last round, if it did.
    pub failed: Option<String>,
}

/// The running workers of a node. Dropping it ends them where they are, which loses nothing; [`Self::shutdown`] waits.
pub struct Workers {
    status: Arc<Mutex<Vec<WorkerStatus>>>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts all workers on the current runtime.
    pub fn start(service: &Service) -> Workers {
        let fresh = |worker: &Worker| WorkerStatus { name: worker.name(), rounds: 0, done: 0, failed: None };
        let status = Arc::new(Mutex::new(Worker::ALL.iter().map(fresh).collect()));
        let stop = watch::Sender::new(false);
        let start = |worker: &Worker| {
            tokio::spawn(run(*worker, service.clone(), Arc::clone(&status), stop.subscribe()))
        };
        let tasks = Worker::ALL.iter().map(start).collect();
        Workers { status, stop, tasks }
    }

    /// How each is doing.
    pub fn status(&self) -> Vec<WorkerStatus> {
        self.status.lock().clone()
    }

    /// Tells all to end, and waits until they have. A round that runs is finished first.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        for task in std::mem::take(&mut self.tasks) {
            if let Err(error) = task.await {
                tracing::error!(%error, "a worker did not end well");
            }
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

async fn run(
    worker: Worker,
    service: Service,
    status: Arc<Mutex<Vec<WorkerStatus>>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut interval = tokio::time::interval(worker.interval());
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            _ = interval.tick() => {}
        }
        let round = worker.run_once(&service).await;
        if let Err(error) = &round {
            tracing::warn!(worker = worker.name(), error = %whole(error), "a round failed");
        }
        note(&status, worker, round);
    }
}

fn note(status: &Mutex<Vec<WorkerStatus>>, worker: Worker, round: Result<u64, FlowError>) {
    let mut status = status.lock();
    let Some(own) = status.iter_mut().find(|status| status.name == worker.name()) else { return };
    match round {
        Ok(done) => {
            own.rounds += 1;
            own.done += done;
            own.failed = None;
        }
        Err(error) => own.failed = Some(whole(&error)),
    }
}

/// An error with its causes, for the operator.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
