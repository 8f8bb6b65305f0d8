//! The engine from outside: inputs in, outputs out.

use crate::api::CallError;
use crate::calls;
use crate::error::{OpenError, call_error};
use crate::host::{Effect, Input, Output};
use crate::jobs;
use crate::kv::MemoryKv;
use crate::runtime::{Cx, State, Tasks};
use crate::{account, connection, groups, sync};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use weft_wire::Millis;
use weft_wire::opaque::Stretching;
use zeroize::Zeroizing;

/// How an engine is opened.
pub struct Options {
    /// Fresh entropy from the operating system, new each time: reusing a seed repeats keys and nonces.
    pub seed: Zeroizing<[u8; 32]>,
    /// The host's clock, ms since 1970.
    pub now: Millis,
    /// How passwords are stretched. The default for everybody but load generators.
    pub stretching: Stretching,
}

impl Options {
    /// The usual options.
    pub fn new(seed: [u8; 32], now: Millis) -> Self {
        Options { seed: Zeroizing::new(seed), now, stretching: Stretching::default() }
    }
}

/// One client of one person: everything but input and output.
pub struct Engine {
    cx: Cx,
    tasks: Tasks,
}

impl Engine {
    /// Opens the engine on what was kept: all rows of the `State` space (none for a new one).
    ///
    /// Call [`Engine::handle`] with [`Input::Tick`] right after, so that it connects and takes up what was left undone.
    ///
    /// # Errors
    /// [`OpenError`] when the account that is kept does not open: its rows were altered.
    pub fn open(
        options: Options,
        rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>,
    ) -> Result<Self, OpenError> {
        let kv = MemoryKv::from_rows(rows);
        let rng = ChaCha20Rng::from_seed(*options.seed);
        let mut state = State::new(kv, rng, options.now, options.stretching);
        account::load(&mut state)?;
        sync::opened(&mut state);
        let cx = Cx::new(state);
        let resumed = cx.clone();
        cx.spawn(async move {
            // Whether a sign-in that a crash cut off had succeeded; without network the next call finds out.
            let _ = account::resume_pending(&resumed).await;
        });
        cx.with(connection::start);
        Ok(Engine { cx, tasks: Tasks::default() })
    }

    /// Takes an input and says what is to be written and done. See [`crate::host`] for the host's duties.
    pub fn handle(&mut self, now: Millis, input: Input) -> Output {
        // A clock that is set back must not make the engine wait for hours.
        self.cx.with(|s| s.now = now);
        self.take(input);
        self.tasks.run(&self.cx, jobs::reconcile);
        self.cx.with(|s| {
            if s.is_wiped() {
                let open = s.live.calls.take();
                let error = call_error("not_signed_in", "This device was signed out.");
                for (id, ()) in open {
                    s.effect(Effect::Reply { id, result: Err(CallError::clone(&error)) });
                }
            }
            groups::finish_turn(s);
            connection::finish_turn(s);
            let (writes, effects) = s.take_output();
            Output { writes, effects, wake_ms: s.next_wake() }
        })
    }

    fn take(&mut self, input: Input) {
        let cx = &self.cx;
        match input {
            Input::Call { id, call } => {
                cx.with(|s| s.live.calls.insert(id, ()));
                let task = calls::answer(cx.clone(), id, call);
                cx.spawn(task);
            }
            Input::Response { ticket, result } => cx.with(|s| s.resolve_response(ticket, result)),
            Input::History { ticket, rows } => cx.with(|s| s.resolve_history(ticket, rows)),
            Input::SocketOpened => {}
            Input::SocketFrame(bytes) => connection::frame(cx, &bytes),
            Input::SocketClosed => cx.with(connection::closed),
            Input::Tick => {}
        }
        cx.with(|s| {
            connection::tick(s);
            sync::tick(s);
        });
    }
}
