//! The sandbox in the hands of real Terraform, which must be on PATH.

#[cfg(test)]
mod every_type;
#[cfg(test)]
mod support;

use std::fs;

use alethia_sandbox::faults::{self, Operation, Rule};
use serde_json::json;

use support::{Stack, all_bytes, text};

const SHOP: &str = include_str!("fixtures/shop.tf");
const SECRET: &str = include_str!("fixtures/secret.tf");

fn queue(arguments: &str) -> String {
    format!("resource \"aws_sqs_queue\" \"jobs\" {{\n{arguments}\n}}\n")
}

#[test]
fn a_stack_is_made_stays_as_it_is_and_goes() {
    let stack = Stack::new(SHOP);
    stack.run(&["validate"]).succeeds();
    stack.apply().succeeds();
    assert_eq!(stack.planned(), [] as [&str; 0]);
    // 34 resources, of which two share the record that validates the certificate.
    assert_eq!(stack.cloud().list().unwrap().len(), 33);
    stack.run(&["destroy", "-auto-approve"]).succeeds();
    assert_eq!(stack.cloud().list().unwrap(), []);
}

#[test]
fn what_aws_decides_looks_like_aws() {
    let stack = Stack::new(SHOP);
    stack.apply().succeeds();
    let facts = &stack.outputs()["facts"]["value"];
    assert_eq!(facts["account"], "123456789012");
    assert_eq!(facts["region"], "eu-west-1");
    assert_eq!(facts["tags"], json!({ "Name": "shop", "Owner": "platform", "Stage": "own" }));
    assert_eq!(facts["addresses"], 3);
    assert_eq!(facts["servers"], 4);
    assert_eq!(facts["port"], 3306);
    assert_eq!(facts["template"], 1);
    assert_eq!(facts["pods"], "172.20.0.0/16");
    let starts = [
        ("vpc", "arn:aws:ec2:eu-west-1:123456789012:vpc/vpc-"),
        ("authority", "-----BEGIN CERTIFICATE-----"),
        ("issuer", "https://oidc.eks.eu-west-1.amazonaws.com/id/"),
        ("identity", "arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/"),
        ("writer", "shop-orders.cluster-"),
        ("reader", "shop-orders.cluster-ro-"),
        ("master", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds!cluster-"),
        ("cache", "master.shop-sessions."),
        ("queue", "https://sqs.eu-west-1.amazonaws.com/123456789012/shop-jobs"),
        ("stream", "arn:aws:dynamodb:eu-west-1:123456789012:table/shop-carts/stream/"),
        ("registry", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/app"),
    ];
    for (name, start) in starts {
        assert!(text(&facts[name]).starts_with(start), "{name} is {}", facts[name]);
    }
    assert_eq!(facts["validation"].as_array().unwrap().len(), 2);
}

#[test]
fn an_edit_from_outside_is_drift_that_an_apply_repairs() {
    let stack = Stack::new(&queue("name = \"jobs\"\ndelay_seconds = 5"));
    stack.apply().succeeds();
    let now = chrono::DateTime::UNIX_EPOCH;
    stack.cloud().edit("aws_sqs_queue", "jobs", "/delay_seconds", json!(60), now).unwrap();
    assert_eq!(stack.planned(), ["update aws_sqs_queue.jobs"]);
    stack.apply().succeeds();
    let queue = stack.cloud().show("aws_sqs_queue", "jobs").unwrap();
    assert_eq!(queue.attributes["delay_seconds"], 5);
    stack.cloud().remove("aws_sqs_queue", "jobs").unwrap();
    assert_eq!(stack.planned(), ["create aws_sqs_queue.jobs"]);
}

#[test]
fn a_new_name_replaces_and_a_new_setting_updates() {
    let stack = Stack::new(&queue("name = \"jobs\""));
    stack.apply().succeeds();
    stack.configure(&queue("name = \"jobs\"\ndelay_seconds = 5"));
    assert_eq!(stack.planned(), ["update aws_sqs_queue.jobs"]);
    stack.configure(&queue("name = \"tasks\""));
    assert_eq!(stack.planned(), ["delete-create aws_sqs_queue.jobs"]);
    stack.apply().succeeds();
    let names: Vec<String> =
        stack.cloud().list().unwrap().into_iter().map(|resource| resource.name).collect();
    assert_eq!(names, ["tasks"]);
}

#[test]
fn a_changed_launch_template_has_a_new_version() {
    let template = |tag: &str| {
        format!(
            "resource \"aws_launch_template\" \"nodes\" {{\n  name = \"nodes\"\n  ebs_optimized = {tag}\n}}\noutput \"version\" {{ value = aws_launch_template.nodes.latest_version }}\n"
        )
    };
    let stack = Stack::new(&template("true"));
    stack.apply().succeeds();
    stack.configure(&template("false"));
    stack.apply().succeeds();
    assert_eq!(stack.outputs()["version"]["value"], 2);
    assert_eq!(stack.planned(), [] as [&str; 0]);
}

#[test]
fn a_stream_that_is_switched_on_later_gets_its_arn() {
    let table = |settings: &str| {
        format!(
            "resource \"aws_dynamodb_table\" \"carts\" {{\n  name = \"carts\"\n  billing_mode = \"PAY_PER_REQUEST\"\n  hash_key = \"id\"\n  attribute {{\n    name = \"id\"\n    type = \"S\"\n  }}\n{settings}\n}}\noutput \"stream\" {{ value = aws_dynamodb_table.carts.stream_arn }}\n"
        )
    };
    let stack = Stack::new(&table(""));
    stack.apply().succeeds();
    assert_eq!(stack.outputs()["stream"]["value"], "");
    stack.configure(&table("stream_enabled = true\nstream_view_type = \"NEW_IMAGE\""));
    stack.apply().succeeds();
    assert!(text(&stack.outputs()["stream"]["value"]).contains(":table/carts/stream/"));
}

#[test]
fn no_secret_is_in_the_state_or_in_the_cloud() {
    let stack = Stack::new(SECRET);
    stack.apply().succeeds();
    let cloud = String::from_utf8_lossy(&all_bytes(&stack.cloud_folder())).into_owned();
    let state = fs::read_to_string(stack.root().join("terraform.tfstate")).unwrap();
    for planted in ["planted-one", "planted-two", "planted-three"] {
        assert!(!cloud.contains(planted), "{planted} is in the cloud's folder");
    }
    for planted in ["planted-one", "planted-two"] {
        assert!(!state.contains(planted), "{planted} is in the state");
    }
    let version = stack.cloud().of_type("aws_secretsmanager_secret_version").unwrap().remove(0);
    assert!(version.secrets["secret_string_wo"].starts_with("sha256:"));
    assert_eq!(stack.planned(), [] as [&str; 0]);
}

#[test]
fn a_fault_hits_one_resource_once_and_the_next_apply_goes_on() {
    let stack = Stack::new(
        "resource \"aws_sqs_queue\" \"a\" { name = \"orders\" }\nresource \"aws_sqs_queue\" \"b\" { name = \"mails\" }\n",
    );
    let rule = Rule {
        target: "aws_sqs_queue.ord*".to_owned(),
        operation: Operation::Create,
        fail: Some("ThrottlingException: rate exceeded".to_owned()),
        nth: Some(1),
        ..Rule::default()
    };
    faults::add(&stack.cloud_folder(), rule).unwrap();
    stack.apply().fails_with(&["creating aws_sqs_queue.orders: ThrottlingException: rate exceeded"]);
    assert_eq!(stack.planned(), ["create aws_sqs_queue.a"]);
    stack.apply().succeeds();
}

#[test]
fn an_interrupt_ends_a_hang_and_nothing_is_made() {
    let stack = Stack::new(&queue("name = \"jobs\""));
    let rule = Rule { target: "aws_sqs_queue.*".to_owned(), hang: true, nth: Some(1), ..Rule::default() };
    faults::add(&stack.cloud_folder(), rule).unwrap();
    // The try is counted right before the hang begins.
    let hangs =
        || fs::read_dir(stack.cloud_folder().join("tries")).is_ok_and(|mut tries| tries.next().is_some());
    stack
        .interrupt_apply(hangs)
        .fails_with(&["creating aws_sqs_queue.jobs: interrupted while the cloud did not answer"]);
    assert_eq!(stack.cloud().list().unwrap(), []);
    stack.apply().succeeds();
}

#[test]
fn a_name_is_taken_once() {
    let stack = Stack::new(
        "resource \"aws_secretsmanager_secret\" \"a\" { name = \"same\" }\nresource \"aws_secretsmanager_secret\" \"b\" { name = \"same\" }\n",
    );
    stack.apply().fails_with(&[
        "aws_secretsmanager_secret.same: ResourceAlreadyExistsException",
        "already has a aws_secretsmanager_secret with this name",
    ]);
    assert_eq!(stack.cloud().list().unwrap().len(), 1);
}

#[test]
fn a_value_that_only_aws_may_decide_is_refused() {
    let stack = Stack::new(&queue("name = \"jobs\"\narn = \"arn:aws:sqs:eu-west-1:1:x\""));
    stack
        .run(&["validate"])
        .fails_with(&["Value for unconfigurable attribute", "Can't configure a value for \"arn\""]);
}

#[test]
fn a_value_out_of_range_is_refused() {
    let stack = Stack::new(&queue("name = \"jobs\"\ndelay_seconds = 901"));
    stack.run(&["validate"]).fails_with(&["expected delay_seconds to be in the range 0 to 900, got 901"]);
}

#[test]
fn what_exists_can_be_imported_and_nothing_else() {
    let stack = Stack::new(&queue("name = \"jobs\""));
    stack.apply().succeeds();
    let id = stack.cloud().show("aws_sqs_queue", "jobs").unwrap().id;
    stack.run(&["state", "rm", "aws_sqs_queue.jobs"]).succeeds();
    stack
        .run(&["import", "aws_sqs_queue.jobs", "https://elsewhere"])
        .fails_with(&["Cannot import non-existent remote object"]);
    stack.run(&["import", "aws_sqs_queue.jobs", &id]).succeeds();
    assert_eq!(stack.planned(), [] as [&str; 0]);
}

#[test]
fn a_data_source_finds_what_another_stack_made() {
    let stack = Stack::new(
        "resource \"aws_vpc\" \"a\" {\n  cidr_block = \"10.9.0.0/16\"\n  tags = { Name = \"hub\" }\n}\n",
    );
    stack.apply().succeeds();
    let vpc = stack.cloud().show("aws_vpc", "hub").unwrap();
    stack.run(&["state", "rm", "aws_vpc.a"]).succeeds();
    stack.configure("data \"aws_vpc\" \"a\" {\n  tags = { Name = \"hub\" }\n}\noutput \"a\" { value = [data.aws_vpc.a.id, data.aws_vpc.a.cidr_block] }\n");
    stack.apply().succeeds();
    assert_eq!(stack.outputs()["a"]["value"], json!([vpc.id, "10.9.0.0/16"]));
}
