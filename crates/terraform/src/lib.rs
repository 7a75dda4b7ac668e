//! A Spec becomes a Terraform root, and Terraform's JSON becomes facts about components.
//!
//! Owns the templates, the rendering of a document into variables, the reading of plans and of `-json` output, and the
//! way from a resource address back to a component. Starts no process and reads no clock; the one thing it does to a
//! disk is to write a rendered root where it is told to.

pub mod address;
pub mod bundle;
pub mod event_json;
pub mod export;
pub mod outputs;
pub mod plan_json;
pub mod progress;
pub mod protection;
pub mod render;
