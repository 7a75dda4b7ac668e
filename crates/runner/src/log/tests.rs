use super::*;
use crate::{
    spool,
    stop::Stop,
    test_console::{Mood, TestConsole},
};

fn open(console: &TestConsole, stop: &StopSignal) -> Log {
    let redactor = Redactor::new(["planted-secret".to_owned()]);
    let spool = spool::open(&std::env::temp_dir());
    Log::open(console.job_client(), 1, redactor, stop.clone(), spool)
}

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_line_is_on_its_way_before_the_log_is_closed() {
    let console = TestConsole::start().await;
    let mut log = open(&console, &StopSignal::new());
    log.write("first planted-secret").await;
    console.until("a chunk arrives", |received| !received.chunks.is_empty()).await;
    assert_eq!(console.log(), "first ***\n");
    log.close(PATIENCE).await;
}

#[tokio::test]
async fn chunks_are_numbered_without_a_gap_in_order_and_small() {
    let console = TestConsole::start().await;
    let mut log = open(&console, &StopSignal::new());
    let lines: Vec<String> = (0..3000).map(|number| format!("{number} {}", "x".repeat(80))).collect();
    for line in &lines {
        log.write(line).await;
    }
    log.close(PATIENCE).await;
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
async fn lines_that_follow_each_other_closely_share_a_chunk() {
    let (pieces, receiver) = mpsc::channel(QUEUE);
    let (writer, _reader) = spool::open(&std::env::temp_dir());
    let (stop, begun) = (StopSignal::new(), Instant::now());
    let mut keeper = Keeper { pieces: receiver, writer, stop, left_over: None, earliest: begun };
    pieces.send("first".to_owned()).await.unwrap();
    assert_eq!(keeper.gather().await.unwrap(), "first");
    pieces.send("second, ".to_owned()).await.unwrap();
    let third = async {
        tokio::time::sleep(BURST_WAIT * 2).await;
        pieces.send("third".to_owned()).await.unwrap();
    };
    let (gathered, ()) = tokio::join!(keeper.gather(), third);
    assert_eq!(gathered.unwrap(), "second, third");
    assert!(begun.elapsed() >= CHUNK_WAIT);
}

#[tokio::test]
async fn what_the_console_did_not_take_is_sent_again() {
    let console = TestConsole::start().await;
    console.set(|received| received.refuse_logs = 2);
    let mut log = open(&console, &StopSignal::new());
    log.write("once").await;
    log.close(PATIENCE).await;
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
    assert_eq!(stop.at_least(Stop::Cancel).await, Stop::Over);
    console.set(|received| received.mood = Mood::Well);
    // More than the queue holds: a writer must not wait for a shipper that is gone.
    for _ in 0..QUEUE * 2 {
        log.write("later still").await;
    }
    log.close(PATIENCE).await;
    assert_eq!(console.log(), "");
}

#[tokio::test]
async fn a_console_that_is_away_costs_nothing() {
    let console = TestConsole::start().await;
    console.set(|received| received.mood = Mood::Unavailable);
    let mut log = open(&console, &StopSignal::new());
    // Far more than may wait in memory; the writer is done long before the Console is back.
    let lines: Vec<String> = (0..20_000).map(|number| format!("{number} {}", "x".repeat(200))).collect();
    for line in &lines {
        log.write(line).await;
    }
    assert!(console.received().chunks.is_empty());
    console.set(|received| received.mood = Mood::Well);
    log.close(PATIENCE).await;
    let numbers: Vec<u64> = console.received().chunks.iter().map(|chunk| chunk.sequence).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert!(console.log().lines().eq(lines));
}

#[tokio::test]
async fn what_was_taken_without_an_answer_is_sent_again_the_same() {
    let console = TestConsole::start().await;
    console.set(|received| received.unanswered_logs = 1);
    let mut log = open(&console, &StopSignal::new());
    log.write("first").await;
    console.until("the answer is lost", |received| received.unanswered_logs == 0).await;
    log.write("second").await;
    log.close(PATIENCE).await;
    let chunks = console.received().chunks.clone();
    assert_eq!(chunks[0], chunks[1]);
    let texts: Vec<&str> = chunks[1..].iter().map(|chunk| chunk.text.as_str()).collect();
    assert_eq!(texts, ["first\n", "second\n"]);
    assert_eq!(chunks[2].sequence, 2);
}

#[tokio::test]
async fn a_console_that_takes_only_one_chunk_at_a_time_gets_them_so() {
    let console = TestConsole::start().await;
    console.set(|received| (received.mood, received.most_chunks) = (Mood::Unavailable, Some(1)));
    let mut log = open(&console, &StopSignal::new());
    let lines: Vec<String> =
        (0..30).map(|number| format!("{number}{}", "x".repeat(PIECE_SIZE - 9))).collect();
    for line in &lines {
        log.write(line).await;
    }
    console.set(|received| received.mood = Mood::Well);
    log.close(PATIENCE).await;
    assert!(console.log().lines().eq(lines));
}

#[tokio::test]
async fn the_rest_of_a_log_does_not_hold_up_a_job_forever() {
    let console = TestConsole::start().await;
    console.set(|received| received.refuse_logs = u32::MAX);
    let mut log = open(&console, &StopSignal::new());
    log.write("nobody takes it").await;
    log.close(Duration::from_millis(300)).await;
    assert_eq!(console.log(), "");
}

#[test]
fn a_long_line_is_cut_between_characters() {
    let line = "é".repeat(PIECE_SIZE);
    assert!(pieces(&line).all(|piece| piece.len() <= PIECE_SIZE));
    assert_eq!(pieces(&line).collect::<String>(), line);
    assert_eq!(pieces("").collect::<Vec<_>>(), [""]);
}
