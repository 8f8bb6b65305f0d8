//! Where requests enter: HTTP and WebSocket.
