//! The whole platform as its users meet it: the real binary, real Terraform, the sandbox cloud.
//!
//! The modules are marked as tests, so that their helpers too may unwrap.

#[cfg(test)]
mod common;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod lost;
#[cfg(test)]
mod main_job;
#[cfg(test)]
mod processes;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod upgrade;
