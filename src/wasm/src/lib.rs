//! The engine's face to JavaScript.
