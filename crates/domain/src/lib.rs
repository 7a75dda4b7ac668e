//! What the platform is about: the Spec document, its eleven component kinds, the three lifecycles, names, plans.
//!
//! Pure: no I/O, no clock, no randomness. Every other crate may use this one; it uses none of them.

pub mod access;
pub mod catalog;
pub mod component;
pub mod event;
pub mod ids;
pub mod lifecycle;
pub mod naming;
pub mod network;
pub mod orphan;
pub mod plan;
pub mod quantity;
pub mod role;
pub mod spec;
pub mod stage;
