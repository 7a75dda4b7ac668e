//! What the Console counts, in Prometheus' text format.
//!
//! Routes are labelled by their pattern, never by the path as it came, so the number of series stays small.

use std::time::Duration;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder,
};

/// Counters of one Console.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    claims: IntCounterVec,
    claim_durations: Histogram,
    claims_waiting: IntGauge,
    doorbell_lag: Gauge,
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
            claim_durations: Histogram::with_opts(options("alethia_claim_seconds", CLAIM_SECONDS))
                .expect(VALID),
            claims_waiting: gauge("alethia_claims_waiting", "Claims that wait for a job here"),
            doorbell_lag: Gauge::new("alethia_doorbell_lag_seconds", DOORBELL_LAG).expect(VALID),
            jobs: gauges("alethia_jobs", "Jobs that are not final, by status", &["status"]),
            streams: gauge("alethia_open_streams", "Open event streams"),
            registry,
        };
        let collectors: [Box<dyn prometheus::core::Collector>; 8] = [
            Box::new(metrics.requests.clone()),
            Box::new(metrics.durations.clone()),
            Box::new(metrics.claims.clone()),
            Box::new(metrics.claim_durations.clone()),
            Box::new(metrics.claims_waiting.clone()),
            Box::new(metrics.doorbell_lag.clone()),
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

    /// A claim gave a job, and took so long once there was one.
    pub fn claimed(&self, took: Duration) {
        self.claim_durations.observe(took.as_secs_f64());
    }

    /// What is so at this moment: claims that wait, and the doorbell's lag.
    pub fn now(&self, claims_waiting: usize, doorbell_lag: Duration) {
        self.claims_waiting.set(i64::try_from(claims_waiting).unwrap_or(i64::MAX));
        self.doorbell_lag.set(doorbell_lag.as_secs_f64());
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

const CLAIM_SECONDS: &str = "Duration of claims that gave a job, without the wait for one";
const DOORBELL_LAG: &str = "How long the last notification took from one Console to another";
const VALID: &str = "the name and the labels are valid";

fn counter(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect(VALID)
}

fn gauges(name: &str, help: &str, labels: &[&str]) -> IntGaugeVec {
    IntGaugeVec::new(Opts::new(name, help), labels).expect(VALID)
}

fn gauge(name: &str, help: &str) -> IntGauge {
    IntGauge::new(name, help).expect(VALID)
}

fn histogram(name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    HistogramVec::new(options(name, help), labels).expect(VALID)
}

fn options(name: &str, help: &str) -> HistogramOpts {
    let buckets = vec![0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
    HistogramOpts::new(name, help).buckets(buckets)
}
