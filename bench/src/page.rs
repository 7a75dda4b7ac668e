//! docs/performance.md: the figures of a full run, on what machine and how they were measured, and what limits those that
//! are not reached. The last is written by hand, in `bench/limits.md`, a section a row.

use std::{fmt::Write, fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    figure::{Figure, Measured},
    rows::ROWS,
};

const HEAD: &str = "# Performance

Measured by `cargo xtask bench` from release builds, with durability as shipped: SQLite with `synchronous=FULL`, PostgreSQL
with its default settings, both on the disk. Each figure is the median of its runs; the spread is the least and the most.
Every run of a row begins from a copy of the same data. What loads a Console shares the machine with it.

`cargo xtask bench NAME` measures one row, `--list` names them, `--quick` takes a first look. Only a full run writes this
page.
";

/// Writes the page.
pub(crate) fn write(measured: &[Measured], facts: &[(&'static str, String)]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the bench lies in no checkout")?;
    let limits = fs::read_to_string(root.join("bench/limits.md")).context("bench/limits.md is gone")?;
    let page = root.join("docs/performance.md");
    fs::write(&page, text(measured, facts, &limits))
        .with_context(|| format!("failed to write {}", page.display()))
}

fn text(measured: &[Measured], facts: &[(&'static str, String)], limits: &str) -> String {
    let mut text = HEAD.to_owned();
    text += "\n## Figures\n\n| Row | What | Reach | Median | Spread | Met | Runs |\n|---|---|---|---|---|---|---|\n";
    text.extend(measured.iter().map(lines));
    text += "\n## Machine\n\n| | |\n|---|---|\n";
    text.extend(facts.iter().map(|(name, value)| format!("| {name} | {value} |\n")));
    text += "\n## How each row is measured\n";
    text.extend(ROWS.iter().map(|row| format!("\n**{}.** {}\n", row.name, row.how)));
    let missed: Vec<&Measured> = measured.iter().filter(|row| misses(row)).collect();
    if !missed.is_empty() {
        text += "\n## What limits what is not reached\n";
        text.extend(
            missed.into_iter().map(|row| format!("\n**{}.** {}\n", row.name, section(limits, row.name))),
        );
    }
    text
}

fn lines(row: &Measured) -> String {
    let mut text = String::new();
    match &row.figures {
        Ok(figures) => figures.iter().for_each(|figure| {
            writeln!(text, "| {} | {} |", row.name, figure.cells().join(" | "))
                .expect("text takes what is written");
        }),
        Err(_) => text = format!("| {} | could not be measured | | | | NO | |\n", row.name),
    }
    text
}

fn misses(row: &Measured) -> bool {
    row.figures
        .as_ref()
        .map_or(true, |figures| figures.iter().any(|figure| Figure::is_met(figure) == Some(false)))
}

/// What stands below the heading of this name.
fn section<'a>(limits: &'a str, name: &str) -> &'a str {
    let sections = limits.split("\n## ").skip(1);
    let mut named = sections.filter_map(|section| section.split_once('\n'));
    let found = named.find(|(heading, _)| heading.trim() == name).map(|(_, text)| text.trim());
    found.unwrap_or("Not looked into yet.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Reach;

    #[test]
    fn the_page_has_figures_machine_and_what_limits_those_that_are_missed() {
        let figure = |what: &str, value| Figure::new(what, Reach::AtLeast(10.0), "/s", vec![value]);
        let measured = [
            Measured { name: "claims", figures: Ok(vec![figure("slow", 9.0)]) },
            Measured { name: "peers", figures: Ok(vec![figure("fast", 11.0)]) },
            Measured { name: "idle", figures: Err("a secret place is missing".to_owned()) },
        ];
        let limits = "# Limits\n\n## claims\n\nThe disk.\n\n## peers\n\nNothing.\n";
        let page = text(&measured, &[("cores", "2".to_owned())], limits);
        assert!(page.contains("| claims | slow | >= 10.0 /s | 9.00 /s |  | NO | 1 |"), "{page}");
        assert!(page.contains("| cores | 2 |") && page.contains("**claims.** The disk."), "{page}");
        assert!(page.contains("**idle.** Not looked into yet.") && !page.contains("Nothing."), "{page}");
        assert!(!page.contains("secret place"), "{page}");
    }
}
