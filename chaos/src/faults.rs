//! Makes the faults of a schedule happen, each to its end.

use std::{io, path::Path, sync::Arc, time::Duration};

use alethia_testkit::{postgres::Shutdown, processes::working_below};
use anyhow::Result;
use rustix::process::Signal;
use tokio::{
    task::{JoinSet, block_in_place},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{
    process::{Process, signal},
    proxy::{Gate, Weather},
    schedule::{Fault, Kind},
    world::{Node, World},
};

/// Lets all faults happen at their times. Returns when the last one is over; tells how many happened.
///
/// # Errors
/// When a fault could not be made or undone.
pub(crate) async fn play(world: Arc<World>, faults: Vec<Fault>, stop: CancellationToken) -> Result<usize> {
    let (begun, mut under_way, mut happened) = (Instant::now(), JoinSet::new(), 0);
    for fault in faults {
        if stop.run_until_cancelled(sleep_until(begun + fault.at)).await.is_none() {
            break;
        }
        under_way.spawn(happen(Arc::clone(&world), fault));
    }
    while let Some(ended) = under_way.join_next().await {
        happened += usize::from(ended??);
    }
    Ok(happened)
}

/// Tells whether it did: whom it is for may be gone already, or be missing on this machine.
async fn happen(world: Arc<World>, fault: Fault) -> Result<bool> {
    let Fault { lasts, kind, .. } = fault;
    let seconds = lasts.as_secs_f64();
    let note = |text: &str| world.chronicle.note(text);
    match kind {
        Kind::KillRunner(number) => restart(&world, &world.runners[number], lasts, kill).await,
        Kind::CutPower(number) => restart(&world, &world.runners[number], lasts, cut_power).await,
        Kind::ReplaceRunner(number) => restart(&world, &world.runners[number], lasts, replace).await,
        Kind::KillConsole(number) => restart(&world, &world.consoles[number], lasts, kill).await,
        Kind::ReplaceConsole(number) => restart(&world, &world.consoles[number], lasts, replace).await,
        Kind::FreezeRunner(number) => freeze(&world, &world.runners[number], lasts, Extent::Alone).await,
        Kind::FreezeMachine(number) => freeze(&world, &world.runners[number], lasts, Extent::All).await,
        Kind::FreezeConsole(number) => freeze(&world, &world.consoles[number], lasts, Extent::Alone).await,
        Kind::RestartDatabase { crash } => {
            let how = if crash { Shutdown::Immediate } else { Shutdown::Fast };
            note(&format!("PostgreSQL stops ({how:?}) for {seconds:.1} s"));
            block_in_place(|| world.postgres.stop(how))?;
            sleep(lasts).await;
            block_in_place(|| world.postgres.start_again())?;
            note("PostgreSQL is back");
            Ok(true)
        }
        Kind::CutRunner(number) => weather(&world, &world.runners[number], lasts, cut()).await,
        Kind::Storm(number) => weather(&world, &world.runners[number], lasts, storm(&world)).await,
        Kind::HoldStates(number) => {
            let held = Weather { hold_states: lasts, ..Weather::default() };
            weather(&world, &world.runners[number], lasts, held).await
        }
        Kind::CutPeople => over_people(&world, lasts, cut()).await,
        Kind::StormOverPeople => {
            // What people send is not repeated much later: they would not do that.
            let storm = Weather { echo: 0, ..storm(&world) };
            over_people(&world, lasts, storm).await
        }
        Kind::FillDisk => fill_disk(&world, lasts).await,
    }
}

enum Extent {
    Alone,
    All,
}

/// Ends a process whose children work in a folder; tells how.
type End = fn(&mut Process, &Path) -> io::Result<&'static str>;

fn kill(process: &mut Process, _: &Path) -> io::Result<&'static str> {
    process.kill().map(|()| "is killed")
}

fn cut_power(process: &mut Process, works_in: &Path) -> io::Result<&'static str> {
    process.kill_with_children(works_in).map(|()| "is killed with everything it had started")
}

fn replace(process: &mut Process, _: &Path) -> io::Result<&'static str> {
    process.end().map(|()| "was asked to end and has")
}

async fn restart(world: &World, node: &Node, after: Duration, end: End) -> Result<bool> {
    let _turn = node.turn.lock().await;
    let mut process = node.take();
    let how = match &mut process {
        Some(process) => block_in_place(|| end(process, &node.works_in))?,
        None => "was gone already and stays so",
    };
    world.chronicle.note(&format!("{} {how} for {:.1} s", node.name, after.as_secs_f64()));
    sleep(after).await;
    node.start()?;
    world.chronicle.note(&format!("{} is started again", node.name));
    Ok(process.is_some())
}

async fn freeze(world: &World, node: &Node, lasts: Duration, extent: Extent) -> Result<bool> {
    let _turn = node.turn.lock().await;
    let is_there = !node.is_gone();
    node.freeze();
    let children = match extent {
        Extent::Alone => Vec::new(),
        Extent::All => working_below(&node.works_in),
    };
    children.iter().for_each(|child| signal(*child, Signal::STOP));
    let (name, number) = (node.name, children.len());
    world
        .chronicle
        .note(&format!("{name} is frozen with {number} children for {:.1} s", lasts.as_secs_f64()));
    sleep(lasts).await;
    children.iter().for_each(|child| signal(*child, Signal::CONT));
    node.thaw();
    world.chronicle.note(&format!("{name} goes on"));
    Ok(is_there)
}

fn cut() -> Weather {
    Weather { cut: true, ..Weather::default() }
}

fn storm(world: &World) -> Weather {
    Weather {
        lose: 80,
        unanswered: 120,
        tear: 80,
        delay: 150,
        delay_by: Duration::from_secs(4),
        double: 150,
        echo: 120,
        echo_after: Duration::from_secs(u64::from(world.settings.lease) * 3 / 2),
        ..Weather::default()
    }
}

async fn weather(world: &World, runner: &Node, lasts: Duration, weather: Weather) -> Result<bool> {
    let _turn = runner.turn.lock().await;
    let gate = runner.gate.as_ref().expect("a Runner has a gate");
    blow(world, runner.name, gate, lasts, weather).await;
    Ok(true)
}

async fn over_people(world: &World, lasts: Duration, weather: Weather) -> Result<bool> {
    blow(world, "people", &world.people, lasts, weather).await;
    Ok(true)
}

async fn blow(world: &World, name: &str, gate: &Gate, lasts: Duration, weather: Weather) {
    world.chronicle.note(&format!("{name} for {:.1} s: {weather}", lasts.as_secs_f64()));
    gate.set(weather);
    sleep(lasts).await;
    gate.set(Weather::default());
    world.chronicle.note(&format!("{name}: the network is calm again"));
}

async fn fill_disk(world: &World, lasts: Duration) -> Result<bool> {
    let Some((number, disk)) = &world.disk else {
        world.chronicle.note("no disk is filled: that takes one of its own, which may not be mounted here");
        return Ok(false);
    };
    let runner = &world.runners[*number];
    let _turn = runner.turn.lock().await;
    block_in_place(|| disk.fill())?;
    world.chronicle.note(&format!("the disk of {} is full for {:.1} s", runner.name, lasts.as_secs_f64()));
    sleep(lasts).await;
    disk.free()?;
    world.chronicle.note(&format!("the disk of {} has room again", runner.name));
    Ok(true)
}
