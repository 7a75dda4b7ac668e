//! A document of 200 components: read and checked, and made a Terraform root. Pure computation, in this process.

use std::time::Instant;

use alethia_domain::{access::CloudAccess, ids::SpecId, spec};
use alethia_terraform::render;
use anyhow::{Result, anyhow, ensure};

use crate::{
    figure::{Figure, Reach},
    ground::Ground,
    sample::Latencies,
};

const COMPONENTS: usize = 200;

pub(super) async fn measure(ground: &Ground) -> Result<Vec<Figure>> {
    let text = document();
    let mut runs = Vec::new();
    for _ in 0..3 {
        let mut latencies = Latencies::default();
        for _ in 0..ground.times(200, 50) {
            let start = Instant::now();
            let parsed = spec::parse("large.yaml", &text).map_err(|problems| anyhow!("{problems:?}"))?;
            let root = render::render(&parsed.document, SpecId::generate(), &CloudAccess::Sandbox);
            latencies.since(start);
            ensure!(
                parsed.document.components().len() == COMPONENTS && !root.files.is_empty(),
                "it is not what it was"
            );
        }
        runs.push(latencies);
    }
    let what = format!("check and render a Spec of {COMPONENTS} components");
    Ok(Figure::percentiles(&what, Reach::AtMost(5.0), Reach::Told, &runs).into())
}

/// Network, and 199 of the kinds that a Spec may have many of.
fn document() -> String {
    let head = "apiVersion: alethia/v1\nkind: Spec\nzone: default\nname: large\nstage: production\n\
        cloud:\n  provider: aws\n  region: eu-west-1\n  identity: sandbox\nnetwork:\n  cidr: 10.0.0.0/16\n";
    let many = |section: &str, count: usize, more: &str| {
        let one = |number| format!("  - name: item-{number}\n{more}");
        format!("{section}:\n{}", (0..count).map(one).collect::<String>())
    };
    let sections = [
        many("databases", 20, "    engine: postgresql\n"),
        many("caches", 20, "    engine: valkey\n    memory: 6GiB\n"),
        many("queues", 50, "    visibility_timeout: 1m\n    dead_letter: {}\n"),
        many("topics", 30, ""),
        many("nosql_tables", 30, "    partition_key: { name: id }\n"),
        many("container_registries", 29, ""),
        many("secrets", 20, "    description: a key\n"),
    ];
    head.to_owned() + &sections.concat()
}
