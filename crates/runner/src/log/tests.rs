use super::*;
use crate::{
    stop::Stop,
    test_console::{Mood, TestConsole},
};

fn open(console: &TestConsole, stop: &StopSignal) -> Log {
    let redactor = Redactor::new(["planted-secret".to_owned()]);
    Log::open(console.job_client(), 1, redactor, stop.clone())
}

#[tokio::test]
async fn a_line_is_on_its_way_before_the_log_is_closed() {
    let console = TestConsole::start().await;
    let mut log = open(&console, &StopSignal::new());
    log.write("first planted-secret").await;
    console.until("a chunk arrives", |received| !received.chunks.is_empty()).await;
    assert_eq!(console.log(), "first ***\n");
    log.close().await;
}

#[tokio::test]
async fn chunks_are_numbered_without_a_gap_in_order_and_small() {
    let console = TestConsole::start().await;
    let mut log = open(&console, &StopSignal::new());
    let lines: Vec<String> = (0..3000).map(|number| format!("{number} {}", "x".repeat(80))).collect();
    for line in &lines {
        log.write(line).await;
    }
    log.close().await;
    let received = console.received();
    let numbers: Vec<u64> = received.chunks.iter().map(|chunk| chunk.sequence).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(received.chunks.iter().all(|chunk| chunk.text.len() <= CHUNK_SIZE && chunk.text.ends_with('\n')));
    // 250 kB in chunks of 64 KiB: batched, not sent line by line.
    assert!(numbers.len() < 100, "{}", numbers.len());
    drop(received);
    assert!(console.log().lines().eq(lines));
}

#[tokio::test]
async fn what_the_console_did_not_take_is_sent_again() {
    let console = TestConsole::start().await;
    console.set(|received| received.refuse_logs = 2);
    let mut log = open(&console, &StopSignal::new());
    log.write("once").await;
    log.close().await;
    assert_eq!(console.log(), "once\n");
    assert_eq!(console.received().chunks[0].sequence, 1);
}

#[tokio::test]
async fn nothing_is_written_after_the_lease_was_lost() {
    let console = TestConsole::start().await;
    let stop = StopSignal::new();
    let mut log = open(&console, &stop);
    console.set(|received| received.mood = Mood::LeaseLost);
    log.write("too late").await;
    assert_eq!(stop.at_least(Stop::Cancel).await, Stop::LeaseLost);
    console.set(|received| received.mood = Mood::Well);
    // More than the queue holds: a writer must not wait for a shipper that is gone.
    for _ in 0..QUEUE * 2 {
        log.write("later still").await;
    }
    log.close().await;
    assert_eq!(console.log(), "");
}

#[tokio::test]
async fn a_silent_console_holds_the_writer_back() {
    let console = TestConsole::start().await;
    console.set(|received| received.mood = Mood::Unavailable);
    let stop = StopSignal::new();
    let mut log = open(&console, &stop);
    let writing = async {
        for _ in 0..QUEUE * 100 {
            log.write(&"x".repeat(1024)).await;
        }
    };
    let held_back = tokio::time::timeout(Duration::from_secs(1), writing).await.is_err();
    assert!(held_back);
    stop.raise(Stop::LeaseLost);
    log.close().await;
}

#[test]
fn a_long_line_is_cut_between_characters() {
    let line = "é".repeat(PIECE_SIZE);
    assert!(pieces(&line).all(|piece| piece.len() <= PIECE_SIZE));
    assert_eq!(pieces(&line).collect::<String>(), line);
    assert_eq!(pieces("").collect::<Vec<_>>(), [""]);
}
