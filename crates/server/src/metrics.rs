//! What the Console counts, in Prometheus' text format.
//!
//! Routes are labelled by their pattern, never by the path as it came, so the number of series stays small.

use std::time::Duration;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Counters of one Console.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    claims: IntCounterVec,
    jobs: IntGaugeVec,
    streams: IntGauge,
}

/// An open stream; it counts until it is dropped.
pub struct OpenStream(IntGauge);

impl Metrics {
    /// Counters that all stand at zero.
    pub fn new() -> Self {
        let registry = Registry::new();
        let metrics = Self {
            requests: counter("alethia_http_requests_total", "HTTP requests", &["method", "route", "status"]),
            durations: histogram("alethia_http_request_seconds", "Duration of HTTP requests", &["route"]),
            claims: counter("alethia_claims_total", "Claims of Runners", &["outcome"]),
            jobs: gauges("alethia_jobs", "Jobs that are not final, by status", &["status"]),
            streams: IntGauge::new("alethia_open_streams", "Open event streams").expect(VALID),
            registry,
        };
        let collectors: [Box<dyn prometheus::core::Collector>; 5] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.durations.clone()),
            Box::new(metrics.claims.clone()),
            Box::new(metrics.jobs.clone()),
            Box::new(metrics.streams.clone()),
        ];
        for collector in collectors {
            metrics.registry.register(collector).expect("each name is registered once");
        }
        metrics
    }

    /// A request was answered.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.durations.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// A claim ended: `job` or `nothing`.
    pub fn claim(&self, outcome: &str) {
        self.claims.with_label_values(&[outcome]).inc();
    }

    /// A stream opens.
    pub fn stream(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }

    /// How many jobs have a status now.
    pub fn jobs(&self, status: &str, count: u64) {
        self.jobs.with_label_values(&[status]).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Everything as text.
    pub fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&self.registry.gather(), &mut text)
            .expect("writing to memory does not fail");
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

const VALID: &str = "the name and the labels are valid";

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect(VALID)
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), labels).expect(VALID)
}

fn histogram(name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    let buckets = vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
    HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets), labels).expect(VALID)
}
