//! Which faults happen when: made from the seed alone, before anything runs, and printable.
//!
//! Kinds are dealt from a shuffled deck, so that each comes up before one comes up twice. Absent on purpose: what the
//! platform does at that time. A fault that meets another one at the same victim waits for its end.

use std::{fmt, time::Duration};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::SliceRandom};

use crate::settings::Settings;

/// Something that goes wrong, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) at: Duration,
    pub(crate) lasts: Duration,
    pub(crate) kind: Kind,
}

/// What goes wrong. Numbers are those of Runners and Consoles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// kill -9, and a start after a while.
    KillRunner(usize),
    /// The same with everything that it had started and that works in its folder: not the guards of Terraform.
    CutPower(usize),
    /// SIGSTOP to the Runner alone.
    FreezeRunner(usize),
    /// SIGSTOP to it and everything that it had started and that works in its folder: not the guards of Terraform.
    FreezeMachine(usize),
    /// Asked to end, as an update does.
    ReplaceRunner(usize),
    KillConsole(usize),
    FreezeConsole(usize),
    /// Asked to end, as an update does.
    ReplaceConsole(usize),
    /// In an orderly way, and as a crash.
    RestartDatabase {
        crash: bool,
    },
    /// No connection between a Runner and the Consoles.
    CutRunner(usize),
    CutPeople,
    /// Requests are lost, delayed, torn and repeated.
    Storm(usize),
    StormOverPeople,
    /// Writes of states arrive after the lease.
    HoldStates(usize),
    FillDisk,
}

/// The faults of a run, in order.
pub(crate) fn schedule(settings: &Settings) -> Vec<Fault> {
    let mut dice = StdRng::seed_from_u64(settings.seed ^ 0xFA17);
    let (mut faults, mut deck) = (Vec::new(), Vec::new());
    let mut at = Duration::from_secs(4);
    while at < settings.length {
        if deck.is_empty() {
            deck = every_kind(&mut dice, settings);
        }
        let kind = deck.pop().expect("a deck has cards");
        let lasts = lasts(kind, &mut dice, settings.lease);
        faults.push(Fault { at, lasts, kind });
        at += Duration::from_millis(dice.random_range(1500..6000));
    }
    faults
}

fn every_kind(dice: &mut StdRng, settings: &Settings) -> Vec<Kind> {
    let crash = dice.random();
    let mut runner = || dice.random_range(0..settings.runners);
    let runners = [
        Kind::KillRunner(runner()),
        Kind::KillRunner(runner()),
        Kind::CutPower(runner()),
        Kind::FreezeRunner(runner()),
        Kind::FreezeMachine(runner()),
        Kind::ReplaceRunner(runner()),
        Kind::CutRunner(runner()),
        Kind::Storm(runner()),
        Kind::Storm(runner()),
        Kind::HoldStates(runner()),
    ];
    let mut console = || dice.random_range(0..settings.consoles);
    let consoles =
        [Kind::KillConsole(console()), Kind::FreezeConsole(console()), Kind::ReplaceConsole(console())];
    let others = [Kind::RestartDatabase { crash }, Kind::CutPeople, Kind::StormOverPeople, Kind::FillDisk];
    let mut deck: Vec<Kind> = runners.into_iter().chain(consoles).chain(others).collect();
    deck.shuffle(dice);
    deck
}

/// Some end within the lease, some after it.
fn lasts(kind: Kind, dice: &mut StdRng, lease: u16) -> Duration {
    let lease = u64::from(lease) * 1000;
    let range = match kind {
        Kind::KillRunner(_) | Kind::CutPower(_) => 500..lease * 3 / 2,
        Kind::FreezeRunner(_) | Kind::FreezeMachine(_) | Kind::CutRunner(_) => lease / 2..lease * 2,
        Kind::ReplaceRunner(_) | Kind::ReplaceConsole(_) => 200..1000,
        Kind::KillConsole(_) => 200..lease / 2,
        Kind::FreezeConsole(_) | Kind::CutPeople => 1000..lease,
        Kind::RestartDatabase { .. } => 100..lease / 2,
        Kind::Storm(_) | Kind::StormOverPeople | Kind::FillDisk => lease..lease * 3 / 2,
        Kind::HoldStates(_) => lease * 2..lease * 2 + 1000,
    };
    Duration::from_millis(dice.random_range(range))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, lasts, kind } = self;
        write!(f, "{:8.3} for {:6.3} s {kind:?}", at.as_secs_f64(), lasts.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(seed: u64) -> Settings {
        Settings {
            seed,
            length: Duration::from_secs(120),
            alethia: "alethia".into(),
            console: None,
            stand_in: "chaos-terraform".into(),
            terraform: "terraform".into(),
            folder: "/nowhere".into(),
            consoles: 2,
            runners: 4,
            specs: 6,
            lease: 10,
            is_loud: false,
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_faults_and_another_one_others() {
        assert_eq!(schedule(&settings(7)), schedule(&settings(7)));
        assert_ne!(schedule(&settings(7)), schedule(&settings(8)));
    }

    #[test]
    fn every_kind_of_fault_happens_within_two_minutes() {
        let kinds = |seed| {
            let names = schedule(&settings(seed)).into_iter().map(|fault| format!("{:?}", fault.kind));
            let names = names.map(|name| name.split(['(', ' ']).next().unwrap_or_default().to_owned());
            names.collect::<std::collections::BTreeSet<_>>().len()
        };
        assert_eq!((0..20).map(kinds).min(), Some(15));
    }
}
