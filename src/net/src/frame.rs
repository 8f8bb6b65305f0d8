//! How bytes travel on a stream: their length as an unsigned varint, then they themselves.

use crate::budget::{OverBudget, Slot};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use std::io;
use unsigned_varint::{aio::read_u64, encode, io::ReadError};

/// What is allocated before the first byte came. Then as much again as has come: a length that lies costs its sender at
/// least half of what it costs us.
const FIRST_CHUNK_BYTES: usize = 8 << 10;

/// Why there is no frame.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("the stream broke")]
    Io(#[from] io::Error),
    #[error("the length is not a varint")]
    Length,
    #[error("the frame is longer than allowed")]
    TooLarge,
    #[error("there is no room for the frame")]
    OverBudget,
}

impl From<OverBudget> for FrameError {
    fn from(_: OverBudget) -> Self {
        FrameError::OverBudget
    }
}

/// Writes one frame and flushes.
pub(crate) async fn write(io: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let mut buffer = encode::usize_buffer();
    io.write_all(encode::usize(bytes.len(), &mut buffer)).await?;
    io.write_all(bytes).await?;
    io.flush().await
}

/// Reads one frame of at most `bytes_max` bytes. The length is checked before anything is allocated, and memory is taken,
/// and charged to the slot, only as the bytes come.
pub(crate) async fn read(
    io: &mut (impl AsyncRead + Unpin),
    bytes_max: usize,
    mut slot: Option<&mut Slot>,
) -> Result<Vec<u8>, FrameError> {
    let length = match read_u64(&mut *io).await {
        Ok(length) => usize::try_from(length).map_err(|_| FrameError::TooLarge)?,
        Err(ReadError::Io(error)) => return Err(FrameError::Io(error)),
        Err(_) => return Err(FrameError::Length),
    };
    if length > bytes_max {
        return Err(FrameError::TooLarge);
    }
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let chunk = bytes.len().max(FIRST_CHUNK_BYTES).min(length - bytes.len());
        if let Some(slot) = slot.as_deref_mut() {
            slot.charge(chunk)?;
        }
        bytes.reserve_exact(chunk);
        let came = (&mut *io).take(chunk as u64).read_to_end(&mut bytes).await?;
        if came < chunk {
            return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()));
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budgets, PeerKey, budget::Budget};
    use futures::{executor::block_on, io::Cursor};
    use proptest::prelude::*;

    fn length(bytes: u64) -> Vec<u8> {
        encode::u64(bytes, &mut encode::u64_buffer()).to_vec()
    }

    #[test]
    fn a_gibibyte_of_length_is_refused_before_it_is_believed() {
        let budget = Budget::new(Budgets::default());
        let mut slot = budget.admit(PeerKey([1; 32])).unwrap();
        let mut input = Cursor::new(length(1 << 30));
        let read = block_on(read(&mut input, 4 << 20, Some(&mut slot)));
        assert!(matches!(read, Err(FrameError::TooLarge)), "{read:?}");
        let mut input = Cursor::new(length(u64::MAX));
        assert!(matches!(block_on(super::read(&mut input, 4 << 20, None)), Err(FrameError::TooLarge)));
    }

    #[test]
    fn a_length_that_lies_costs_what_was_sent() {
        // Room for 64 KiB alone: a reader that believed 4 MiB would be over its budget, one that reads as it comes is not.
        let limits = Budgets { bytes_max: 64 << 10, bytes_per_peer_max: 64 << 10, ..Budgets::default() };
        let budget = Budget::new(limits);
        let mut slot = budget.admit(PeerKey([1; 32])).unwrap();
        let mut input = length(4 << 20);
        input.extend([7; 20 << 10]);
        let read = block_on(super::read(&mut Cursor::new(input), 4 << 20, Some(&mut slot)));
        assert!(matches!(read, Err(FrameError::Io(_))), "{read:?}");
        slot.shrink_to(0);
        let mut input = length(4 << 20);
        input.extend(vec![7; 1 << 20]);
        let read = block_on(super::read(&mut Cursor::new(input), 4 << 20, Some(&mut slot)));
        assert!(matches!(read, Err(FrameError::OverBudget)), "{read:?}");
    }

    #[test]
    fn a_length_without_end_is_refused() {
        let read = block_on(super::read(&mut Cursor::new(vec![0xff; 64]), 4 << 20, None));
        assert!(matches!(read, Err(FrameError::Length)), "{read:?}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..40_000)) {
            let mut wire = Vec::new();
            block_on(write(&mut wire, &bytes)).unwrap();
            let budget = Budget::new(Budgets::default());
            let mut slot = budget.admit(PeerKey([1; 32])).unwrap();
            prop_assert_eq!(block_on(read(&mut Cursor::new(&wire), 40_000, Some(&mut slot))).unwrap(), bytes);
            wire.pop();
            let cut = block_on(read(&mut Cursor::new(&wire), 40_000, None));
            prop_assert!(cut.is_err());
        }

        #[test]
        fn no_input_breaks_the_reader(input in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = block_on(read(&mut Cursor::new(&input), 100, None));
        }
    }
}
