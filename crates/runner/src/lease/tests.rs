use super::*;
use crate::test_console::{Mood, TestConsole};

fn keep(console: &TestConsole, seconds: f64, stop: &StopSignal) -> (Heart, Lease) {
    let (heart, step) = (Heart::start().unwrap(), watch::Sender::new("apply"));
    let length = Duration::from_secs_f64(seconds);
    let lease = Lease::keep(&heart, console.job_client(), length, step.subscribe(), stop.clone());
    (heart, lease)
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
    console.set(|received| received.instruction = Instruction::Cancel);
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
    assert_eq!(stop.at_least(Stop::Cancel).await, Stop::Over);
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

#[tokio::test]
async fn a_console_that_comes_back_late_is_told_again_and_an_attempt_that_is_over_by_then_ends() {
    let console = TestConsole::start().await;
    console.set(|received| received.mood = Mood::Unavailable);
    let stop = StopSignal::new();
    let (_heart, lease) = keep(&console, 1.0, &stop);
    let before = *lease.limits().borrow();
    assert_eq!(stop.at_least(Stop::LeaseLost).await, Stop::LeaseLost);
    console.set(|received| received.mood = Mood::Well);
    console.until("another heartbeat", |received| received.heartbeats > 0).await;
    let mut limits = lease.limits();
    limits.wait_for(|limits| *limits != before).await.unwrap();
    assert!(!stop.is_over());
    console.set(|received| received.mood = Mood::LeaseLost);
    assert_eq!(stop.at_least(Stop::Over).await, Stop::Over);
}

#[tokio::test]
async fn a_request_to_kill_arrives_though_a_cancel_did_before() {
    let console = TestConsole::start().await;
    console.set(|received| received.instruction = Instruction::Cancel);
    let stop = StopSignal::new();
    let _lease = keep(&console, 30.0, &stop);
    assert_eq!(stop.at_least(Stop::Cancel).await, Stop::Cancel);
    let asked = Instant::now();
    console.set(|received| received.instruction = Instruction::Kill);
    assert_eq!(stop.at_least(Stop::Kill).await, Stop::Kill);
    assert!(asked.elapsed() < Duration::from_secs(4), "the answer was not held: {:?}", asked.elapsed());
}

#[test]
fn terraform_has_time_to_end_in_order_before_it_is_killed_and_the_guard_acts_later() {
    for (length, interrupted) in [(10, 5.0), (20, 13.4), (30, 22.6), (600, 452.0)] {
        let length = Duration::from_secs(length);
        assert_eq!(interrupt_after(length), Duration::from_secs_f64(interrupted), "{length:?}");
        let renewed = Moment::now();
        let guard = limits(renewed, length);
        assert!(renewed + interrupt_after(length) < guard.interrupt_at, "{length:?}");
        assert!(renewed + length * KILL_AT / 100 < guard.kill_at && guard.kill_at < renewed + length);
    }
}
