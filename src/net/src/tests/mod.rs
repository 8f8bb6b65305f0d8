//! Real swarms on loopback.

mod attacks;
mod finding;
mod life;
mod streams;
mod support;
