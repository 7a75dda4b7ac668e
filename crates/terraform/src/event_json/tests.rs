use super::*;

fn event_of(line: &str) -> TerraformEvent {
    parse(line).event.expect("the line is of a known kind")
}

#[test]
fn the_start_and_end_of_work_name_the_resource() {
    let line = r#"{"@level":"info","@message":"module.queue-mail.aws_sqs_queue.main: Creation complete after 2s","type":"apply_complete","hook":{"resource":{"addr":"module.queue-mail.aws_sqs_queue.main"},"action":"create","id_key":"id","id_value":"x","elapsed_seconds":2}}"#;
    let expected = ResourceAction {
        address: "module.queue-mail.aws_sqs_queue.main".to_owned(),
        action: Action::Create,
        elapsed_seconds: Some(2),
    };
    assert_eq!(event_of(line), TerraformEvent::ApplyComplete(expected));
}

#[test]
fn a_diagnostic_carries_its_address_and_a_hint() {
    let line = r#"{"@level":"error","@message":"Error: creating SQS Queue","type":"diagnostic","diagnostic":{"severity":"error","summary":"creating SQS Queue","detail":"AccessDenied: not authorized","address":"module.queue-mail.aws_sqs_queue.main"}}"#;
    let TerraformEvent::Diagnostic(diagnostic) = event_of(line) else { panic!("no diagnostic") };
    assert_eq!(diagnostic.severity, Severity::Error);
    assert!(diagnostic.address.is_some());
    assert!(diagnostic.hint.unwrap().contains("may not do this"));
}

#[test]
fn what_is_not_known_keeps_its_message() {
    for (line, message) in [
        ("panic: runtime error", "panic: runtime error"),
        (r#"{"@level":"info","@message":"new","type":"from_the_future"}"#, "new"),
        (r#"{"@message":"cut","type":"apply_start","hook":{}}"#, "cut"),
        ("[1]", "[1]"),
        (r#"{"msg":"from a wrapper"}"#, r#"{"msg":"from a wrapper"}"#),
        ("\r{}", "\r{}"),
    ] {
        assert_eq!(parse(line), Line { level: Level::Info, message: message.to_owned(), event: None });
    }
}

#[test]
fn a_sensitive_output_does_not_show_in_debug_output() {
    let line = r#"{"type":"outputs","outputs":{"key":{"sensitive":true,"type":"string","value":"hunter2"}}}"#;
    assert!(!format!("{:?}", parse(line)).contains("hunter2"));
}

proptest::proptest! {
    #[test]
    fn no_line_panics(line in ".*") {
        parse(&line);
    }

    #[test]
    fn no_mangled_event_panics(kind in "[a-z_]{0,20}", body in ".{0,80}") {
        parse(&format!(r#"{{"type":"{kind}","hook":{body},"change":{body},"changes":{body},"diagnostic":{body}}}"#));
        for kind in ["planned_change", "apply_start", "diagnostic", "outputs", "change_summary", "version"] {
            parse(&format!(r#"{{"type":"{kind}","hook":"{body}","outputs":[],"diagnostic":{{"severity":3}}}}"#));
        }
    }
}

#[test]
fn frequent_errors_get_a_hint_that_fits() {
    for (summary, detail, hint) in [
        ("No valid credential sources found", "", "no way into the cloud"),
        ("creating queue", "ExpiredToken: The security token included in the request is expired", "ran out"),
        ("Error acquiring the state lock", "Lock Info: ID: 1", "another job holds"),
        (
            "creating topic",
            "AuthorizationError: User is not authorized to perform: SNS:CreateTopic",
            "may not do this",
        ),
        ("creating role", "EntityAlreadyExists: Role with name x already exists.", "with an import"),
        (
            "creating VPC",
            "VpcLimitExceeded: The maximum number of VPCs has been reached.",
            "limit is reached",
        ),
        (
            "deleting cluster",
            "Cannot delete protected Cluster, please disable deletion protection",
            "protected",
        ),
        ("creating secret", "a secret with this name is already scheduled for deletion", "recovery time"),
        ("deleting repository", "RepositoryNotEmptyException: still contains images", "force_delete"),
    ] {
        let diagnostic = serde_json::json!({ "severity": "error", "summary": summary, "detail": detail });
        let line = serde_json::json!({ "type": "diagnostic", "diagnostic": diagnostic });
        let TerraformEvent::Diagnostic(diagnostic) = event_of(&line.to_string()) else {
            panic!("no diagnostic")
        };
        assert!(
            diagnostic.hint.is_some_and(|found| found.contains(hint)),
            "{summary}: {:?}",
            diagnostic.hint
        );
    }
}
