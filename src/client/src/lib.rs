//! The engine driven natively: HTTP, WebSocket and a file store.
