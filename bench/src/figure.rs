//! What was measured against what is to be reached, and the table of both.

use comfy_table::{Table, presets::NOTHING};

use crate::sample::{Latencies, Spread};

/// How much of an error a table shows.
const LONGEST_ERROR: usize = 150;

/// One line of the table: the same figure from several runs.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) reach: Reach,
    pub(crate) unit: &'static str,
    /// One value a run; at least one.
    pub(crate) runs: Vec<f64>,
}

/// What is to be reached, in the unit of the figure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Reach {
    AtLeast(f64),
    AtMost(f64),
    /// It is told beside the others, to understand them.
    Told,
}

/// The figures of a row, or why there are none.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) figures: Result<Vec<Figure>, String>,
}

impl Figure {
    pub(crate) fn new(what: impl Into<String>, reach: Reach, unit: &'static str, runs: Vec<f64>) -> Self {
        Self { what: what.into(), reach, unit, runs }
    }

    /// The 50th and the 99th percentile of each run, in milliseconds.
    pub(crate) fn percentiles(what: &str, p50: Reach, p99: Reach, runs: &[Latencies]) -> [Self; 2] {
        let of = |name: &str, reach, value: fn(&Latencies) -> f64| {
            Self::new(format!("{what}, {name}"), reach, "ms", runs.iter().map(value).collect())
        };
        [of("p50", p50, Latencies::p50), of("p99", p99, Latencies::p99)]
    }

    /// Whether the median reaches it; `None` where there is nothing to reach.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let median = Spread::of(&self.runs).median;
        match self.reach {
            Reach::AtLeast(least) => Some(median >= least),
            Reach::AtMost(most) => Some(median <= most),
            Reach::Told => None,
        }
    }

    /// What, reach, median, spread, verdict, runs.
    pub(crate) fn cells(&self) -> [String; 6] {
        let Spread { median, least, most } = Spread::of(&self.runs);
        let reach = match self.reach {
            Reach::AtLeast(least) => format!(">= {}", with_unit(least, self.unit)),
            Reach::AtMost(most) => format!("<= {}", with_unit(most, self.unit)),
            Reach::Told => String::new(),
        };
        let spread = if self.runs.len() > 1 {
            format!("{} to {}", number(least), number(most))
        } else {
            String::new()
        };
        let met = match self.is_met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        [
            self.what.clone(),
            reach,
            with_unit(median, self.unit),
            spread,
            met.to_owned(),
            self.runs.len().to_string(),
        ]
    }
}

impl Measured {
    pub(crate) fn is_whole(&self) -> bool {
        self.figures.is_ok()
    }
}

/// All of it for a terminal.
pub(crate) fn table(measured: &[Measured]) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["row", "what", "reach", "median", "spread", "met", "runs"]);
    for row in measured {
        match &row.figures {
            Ok(figures) => {
                for figure in figures {
                    table.add_row(std::iter::once(row.name.to_owned()).chain(figure.cells()));
                }
            }
            Err(error) => {
                let error: String = error.chars().take(LONGEST_ERROR).collect();
                table.add_row([row.name, &format!("not measured: {error}")]);
            }
        }
    }
    table.to_string()
}

/// A whole number as people read it.
pub(crate) fn count(number: u32) -> String {
    grouped(&number.to_string())
}

fn with_unit(value: f64, unit: &str) -> String {
    format!("{} {unit}", number(value))
}

/// Three digits that count, and no more.
fn number(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let text = format!("{value:.places$}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let grouped = grouped(whole);
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digit.is_ascii_digit() && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_was_reached_and_how_sure_that_is() {
        let figure = Figure::new("claims", Reach::AtLeast(2500.0), "/s", vec![1000.0, 3000.0, 2750.5]);
        assert_eq!(figure.cells(), ["claims", ">= 2,500 /s", "2,750 /s", "1,000 to 3,000", "yes", "3"]);
        let figure = Figure::new("start", Reach::AtMost(150.0), "ms", vec![150.4]);
        assert_eq!(figure.cells(), ["start", "<= 150 ms", "150 ms", "", "NO", "1"]);
        let figure = Figure::new("warm", Reach::Told, "ms", vec![0.1234]);
        assert_eq!(figure.cells(), ["warm", "", "0.12 ms", "", "", "1"]);
    }

    #[test]
    fn the_table_names_a_row_that_could_not_be_measured() {
        let figures = Ok(vec![Figure::new("claims", Reach::Told, "/s", vec![1.0])]);
        let text = table(&[
            Measured { name: "claims", figures },
            Measured { name: "peers", figures: Err("npm is missing".to_owned()) },
        ]);
        assert!(text.contains("1.00 /s") && text.contains("not measured: npm is missing"), "{text}");
    }
}
