//! The whole platform as its users meet it: the real binary, real Terraform, the sandbox cloud.

mod common;
mod faults;
mod main_job;
mod processes;
mod secrets;
