//! What crosses a wire or is kept on disk: ids, envelopes, events, limits.
