use alethia_domain::{component::ComponentRef, lifecycle::ComponentEvent};

use super::*;
use crate::test_console::{TestConsole, told};

fn report(component: &str, event: ComponentEvent, done: u32) -> ComponentReport {
    let component: ComponentRef = component.parse().unwrap();
    ComponentReport { component, event, reason: None, done, total: 3 }
}

#[tokio::test]
async fn the_first_report_goes_at_once_and_the_last_at_the_end() {
    let console = TestConsole::start().await;
    let (progress, carrier) = open(console.job_client(), StopSignal::new());
    progress.step("apply");
    console.until("a report arrives", |received| !received.progress.is_empty()).await;
    progress.count((2, 3));
    progress.component(report("queue.mail", ComponentEvent::Settle, 3));
    carrier.close().await;
    let received = console.received();
    let last = received.progress.last().unwrap();
    assert_eq!((last.step.as_str(), last.done, last.total), ("apply", 2, 3));
    assert_eq!(told(&received), [report("queue.mail", ComponentEvent::Settle, 3)]);
}

#[test]
fn newer_news_of_a_component_replace_older_ones_of_the_same_kind() {
    let mut pending = Pending::default();
    pending.add(report("queue.mail", ComponentEvent::Build, 0));
    pending.add(report("cluster", ComponentEvent::Build, 0));
    pending.add(report("queue.mail", ComponentEvent::Build, 1));
    pending.add(report("queue.mail", ComponentEvent::Fail, 1));
    let expected = [
        report("queue.mail", ComponentEvent::Build, 1),
        report("cluster", ComponentEvent::Build, 0),
        report("queue.mail", ComponentEvent::Fail, 1),
    ];
    assert_eq!(pending.components, expected);
}

#[tokio::test]
async fn many_changes_make_few_reports() {
    let console = TestConsole::start().await;
    let (progress, carrier) = open(console.job_client(), StopSignal::new());
    for done in 0..5_000 {
        progress.count((done, 5_000));
        tokio::task::yield_now().await;
    }
    carrier.close().await;
    let received = console.received();
    assert!(received.progress.len() < 100, "{}", received.progress.len());
    assert_eq!(received.progress.last().unwrap().done, 4_999);
}
