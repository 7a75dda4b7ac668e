use super::*;
use crate::test_console::{Mood, TestConsole};

fn keep(console: &TestConsole, seconds: f64, stop: &StopSignal) -> Lease {
    let step = watch::Sender::new("apply");
    Lease::keep(console.job_client(), Duration::from_secs_f64(seconds), step.subscribe(), stop.clone())
}

#[tokio::test]
async fn a_lease_is_renewed_for_longer_than_it_lasts() {
    let console = TestConsole::start().await;
    let stop = StopSignal::new();
    let _lease = keep(&console, 1.0, &stop);
    console.until("five heartbeats", |received| received.heartbeats >= 5).await;
    assert_eq!(stop.reason(), None);
}

#[tokio::test]
async fn the_consoles_wish_to_cancel_arrives() {
    let console = TestConsole::start().await;
    console.set(|received| received.cancel = true);
    let stop = StopSignal::new();
    let _lease = keep(&console, 0.5, &stop);
    assert_eq!(stop.at_least(Stop::Cancel).await, Stop::Cancel);
}

#[tokio::test]
async fn an_attempt_that_is_over_is_known_at_the_next_heartbeat() {
    let console = TestConsole::start().await;
    console.set(|received| received.mood = Mood::LeaseLost);
    let stop = StopSignal::new();
    let begun = Instant::now();
    let _lease = keep(&console, 6.0, &stop);
    assert_eq!(stop.at_least(Stop::Cancel).await, Stop::LeaseLost);
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn a_lease_that_cant_be_renewed_first_interrupts_and_then_kills_before_it_ends() {
    let console = TestConsole::start().await;
    console.set(|received| received.mood = Mood::Unavailable);
    let (stop, length) = (StopSignal::new(), Duration::from_secs(3));
    let begun = Instant::now();
    let _lease = keep(&console, 3.0, &stop);
    assert_eq!(stop.at_least(Stop::Cancel).await, Stop::LeaseEnding);
    assert_eq!(stop.at_least(Stop::LeaseLost).await, Stop::LeaseLost);
    assert!(begun.elapsed() < length, "{:?}", begun.elapsed());
}
