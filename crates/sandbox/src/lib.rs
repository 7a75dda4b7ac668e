//! The sandbox cloud: a Terraform provider plugin that stands in for AWS, offline, over the real provider's schemas.
//!
//! Real Terraform runs the whole life of a stack against it: validate, plan, apply, refresh, drift, import, destroy. The
//! CLI dispatches `sandbox plugin PROVIDER` to [`plugin::run`], writes the mirror that makes Terraform find it with
//! [`mirror::write`], and looks into the cloud with [`cloud::Cloud`] and [`faults`].
//!
//! The way of a call: `handshake` (socket, certificate) -> `service` (bytes) -> `provider` (one method a call) -> `plan`,
//! `cloud` (the folder, made-up values), `faults`. `wire`, `value`, `schema` and `rules` are the words they share.
//! What must stay true: a secret is never written to the cloud's folder in clear, and an answered apply is on disk.
//! Absent on purpose: any network, any credential, any other crate of this workspace.

pub mod cloud;
pub mod faults;
mod format;
#[doc(hidden)]
pub mod fuzzing;
mod handshake;
pub mod mirror;
mod plan;
pub mod plugin;
mod provider;
mod rules;
mod schema;
mod service;
mod value;
mod wire;
