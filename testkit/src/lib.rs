//! Peers for tests: what a test needs beside the code it tests, made for it and gone with it.
//!
//! Only dev-dependencies point here. Nothing in it knows a crate of the platform, so that the lowest one can use
//! it too. Everything it starts is stopped with the value that the test holds, also when the test panics or is
//! killed; nothing uses a fixed port or a folder that another test sees.

pub mod fake_terraform;
pub mod postgres;
pub mod processes;
