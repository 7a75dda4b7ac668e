//! A Console for tests: takes what a Runner sends, keeps it, and refuses or stays silent as it is told.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use alethia_api::{
    client::{JobClient, RunnerClient},
    logs::LogChunk,
    problem::{self, Code, Problem},
    runner::{
        AppendLogs, Claim, ComponentReport, Finish, Heartbeat, HeartbeatReply, Instruction, PlanReference,
        ReportPlan, ReportProgress, StateReference,
    },
};
use alethia_domain::{
    access::CloudAccess,
    ids::{JobId, SpecId},
    lifecycle::JobType,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Query, State},
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{any, post, put},
};
use chrono::Utc;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::task::AbortOnDropHandle;

/// Longer than anything in a test takes, so that only a fault reaches it.
const DEADLINE: Duration = Duration::from_secs(30);

/// How the Console behaves now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It takes everything.
    #[default]
    Well,
    /// It answers 503.
    Unavailable,
    /// It answers 500.
    Failing,
    /// It says that the attempt is over.
    LeaseLost,
    /// It knows no such token.
    Refused,
}

/// What came in.
#[derive(Default)]
pub(crate) struct Received {
    pub mood: Mood,
    /// Answer 503 to so many log requests.
    pub refuse_logs: u32,
    /// Keep what comes in so many log requests and answer 503 all the same.
    pub unanswered_logs: u32,
    /// Refuse log requests with more chunks.
    pub most_chunks: Option<usize>,
    pub instruction: Instruction,
    pub claims: VecDeque<Claim>,
    /// How long a claim takes.
    pub claim_delay: Duration,
    /// How many claims came.
    pub questions: u32,
    pub plan_to_apply: Bytes,
    pub started: u32,
    pub released: u32,
    pub heartbeats: u32,
    pub chunks: Vec<LogChunk>,
    pub progress: Vec<ReportProgress>,
    pub plan_file: Option<Bytes>,
    pub plan: Option<ReportPlan>,
    pub finishes: Vec<Finish>,
    /// Who holds the lock of the state.
    pub state_lock: Option<String>,
    /// Versions of the state, each with the lock that it was written under.
    pub states: Vec<(String, Bytes)>,
    /// Say to whoever writes the state that the attempt is over.
    pub attempt_over_for_state: bool,
    /// Answer 503 to so many states that come late.
    pub refuse_rescues: u32,
    /// How often the state backend was called.
    pub state_calls: u32,
    /// States that came late.
    pub rescued: Vec<Bytes>,
}

/// A Console for tests.
pub(crate) struct TestConsole {
    pub address: String,
    shared: Arc<Shared>,
    _server: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Received>,
    changed: Notify,
}

impl TestConsole {
    pub(crate) async fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let job = "/api/v1/runner/jobs/{id}";
        let router = Router::new()
            .route("/api/v1/runner/claim", post(claim))
            .route(&format!("{job}/start"), post(start))
            .route(&format!("{job}/heartbeat"), post(heartbeat))
            .route(&format!("{job}/logs"), post(logs))
            .route(&format!("{job}/progress"), post(progress))
            .route(&format!("{job}/plan/file"), put(plan_file).get(plan_to_apply))
            .route(&format!("{job}/plan"), put(plan))
            .route(&format!("{job}/finish"), post(finish))
            .route(&format!("{job}/release"), post(release))
            .route(&format!("{job}/state/rescue"), put(rescue))
            .route("/api/v1/state/{spec}", any(state))
            .with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, _server: AbortOnDropHandle::new(server) }
    }

    pub(crate) fn received(&self) -> MutexGuard<'_, Received> {
        self.shared.received.lock().unwrap()
    }

    pub(crate) fn set(&self, change: impl FnOnce(&mut Received)) {
        self.shared.set(change);
    }

    /// Waits until what came in fulfils a condition.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Received) -> bool) {
        let wait = async {
            loop {
                let changed = self.shared.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if condition(&self.received()) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(DEADLINE, wait).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    pub(crate) fn client(&self) -> RunnerClient {
        RunnerClient::new(&self.address, "alr_token-of-the-runner").unwrap()
    }

    pub(crate) fn job_client(&self) -> JobClient {
        self.client().job(&claim_of(JobType::Plan))
    }

    /// All of the log.
    pub(crate) fn log(&self) -> String {
        self.received().chunks.iter().map(|chunk| chunk.text.as_str()).collect()
    }

    /// How the only job ended.
    pub(crate) async fn finish(&self) -> Finish {
        self.until("a job ends", |received| !received.finishes.is_empty()).await;
        self.received().finishes[0].clone()
    }
}

/// A claim of a job on a Spec with nothing in it.
pub(crate) fn claim_of(job_type: JobType) -> Claim {
    let document = json!({
        "apiVersion": "alethia/v1",
        "kind": "Spec",
        "zone": "default",
        "name": "shop",
        "stage": "development",
        "cloud": { "provider": "aws", "region": "eu-central-1", "identity": "sandbox" },
    });
    Claim {
        job_id: JobId::generate(),
        job_type,
        spec_id: SpecId::generate(),
        attempt: 1,
        job_token: "alj_token-of-the-attempt".to_owned(),
        lease_expires_at: Utc::now(),
        lease_seconds: 30,
        document,
        destroy: false,
        access: CloudAccess::Sandbox,
        identity: "sandbox@1".to_owned(),
        plan: None::<PlanReference>,
        state: StateReference { lineage: "l".to_owned(), serial: 3 },
    }
}

/// All that was told of components, in order.
pub(crate) fn told(received: &Received) -> Vec<ComponentReport> {
    received.progress.iter().flat_map(|report| report.components.clone()).collect()
}

type Shop = State<Arc<Shared>>;

impl Shared {
    fn set(&self, change: impl FnOnce(&mut Received)) {
        change(&mut self.received.lock().unwrap());
        self.changed.notify_waiters();
    }

    /// Keeps something, unless the mood is against it.
    fn take(&self, keep: impl FnOnce(&mut Received)) -> Response {
        let mut received = self.received.lock().unwrap();
        match received.mood {
            Mood::Well => keep(&mut received),
            Mood::Unavailable => return refusal(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
            Mood::Failing => return refusal(StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
            Mood::LeaseLost => return refusal(StatusCode::CONFLICT, Code::LeaseLost),
            Mood::Refused => return refusal(StatusCode::UNAUTHORIZED, Code::Unauthenticated),
        }
        drop(received);
        self.changed.notify_waiters();
        StatusCode::NO_CONTENT.into_response()
    }
}

fn refusal(status: StatusCode, code: Code) -> Response {
    let body = Problem {
        kind: "about:blank".to_owned(),
        title: String::new(),
        status: status.as_u16(),
        detail: format!("told to say {code:?}"),
        code,
        errors: Vec::new(),
        permitted: Vec::new(),
        hint: None,
    };
    (status, [(header::CONTENT_TYPE, problem::CONTENT_TYPE)], serde_json::to_vec(&body).unwrap())
        .into_response()
}

async fn claim(State(shared): Shop) -> Response {
    shared.set(|received| received.questions += 1);
    let delay = shared.received.lock().unwrap().claim_delay;
    tokio::time::sleep(delay).await;
    let mut claimed = None;
    let answer = shared.take(|received| claimed = received.claims.pop_front());
    claimed.map_or(answer, |claim| Json(claim).into_response())
}

async fn start(State(shared): Shop) -> Response {
    shared.take(|received| received.started += 1)
}

async fn heartbeat(State(shared): Shop, Json(body): Json<Heartbeat>) -> Response {
    let answer = shared.take(|received| received.heartbeats += 1);
    if answer.status() != StatusCode::NO_CONTENT {
        return answer;
    }
    let news = async {
        loop {
            let changed = shared.changed.notified();
            let (instruction, mood) = {
                let received = shared.received.lock().unwrap();
                (received.instruction, received.mood)
            };
            if instruction != body.told || mood != Mood::Well {
                return;
            }
            changed.await;
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(body.wait_seconds.into()), news).await;
    let answer = shared.take(|_| {});
    if answer.status() != StatusCode::NO_CONTENT {
        return answer;
    }
    let instruction = shared.received.lock().unwrap().instruction;
    Json(HeartbeatReply { instruction, lease_expires_at: Utc::now() }).into_response()
}

async fn logs(State(shared): Shop, Json(body): Json<AppendLogs>) -> Response {
    let mut refused = None;
    let answer = shared.take(|received| {
        if received.most_chunks.is_some_and(|most| body.chunks.len() > most) {
            refused = Some((StatusCode::PAYLOAD_TOO_LARGE, Code::TooLarge));
        } else if take_one(&mut received.refuse_logs) {
            refused = Some((StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable));
        } else {
            received.chunks.extend(body.chunks);
            let lost = take_one(&mut received.unanswered_logs);
            refused = lost.then_some((StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable));
        }
    });
    refused.map_or(answer, |(status, code)| refusal(status, code))
}

fn take_one(left: &mut u32) -> bool {
    let is_left = *left > 0;
    *left = left.saturating_sub(1);
    is_left
}

async fn progress(State(shared): Shop, Json(body): Json<ReportProgress>) -> Response {
    shared.take(|received| received.progress.push(body))
}

async fn plan_file(State(shared): Shop, body: Bytes) -> Response {
    shared.take(|received| received.plan_file = Some(body))
}

async fn plan_to_apply(State(shared): Shop) -> Response {
    shared.received.lock().unwrap().plan_to_apply.clone().into_response()
}

async fn plan(State(shared): Shop, Json(body): Json<ReportPlan>) -> Response {
    shared.take(|received| received.plan = Some(body))
}

async fn finish(State(shared): Shop, Json(body): Json<Finish>) -> Response {
    shared.take(|received| received.finishes.push(body))
}

async fn release(State(shared): Shop) -> Response {
    shared.take(|received| received.released += 1)
}

async fn rescue(State(shared): Shop, body: Bytes) -> Response {
    let mut refused = false;
    let answer = shared.take(|received| {
        refused = take_one(&mut received.refuse_rescues);
        if !refused {
            received.rescued.push(body);
        }
    });
    if refused { refusal(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable) } else { answer }
}

async fn state(
    State(shared): Shop,
    method: Method,
    Query(query): Query<BTreeMap<String, String>>,
    body: Bytes,
) -> Response {
    shared.set(|received| received.state_calls += 1);
    if shared.received.lock().unwrap().attempt_over_for_state {
        return refusal(StatusCode::CONFLICT, Code::LeaseLost);
    }
    let info = || serde_json::from_slice::<Value>(&body).unwrap()["ID"].as_str().unwrap().to_owned();
    let mut held = None;
    let answer = shared.take(|received| match method.as_str() {
        "LOCK" if received.state_lock.is_some() => held.clone_from(&received.state_lock),
        "LOCK" => received.state_lock = Some(info()),
        "UNLOCK" => assert_eq!(received.state_lock.take(), Some(info())),
        _ => {
            assert_eq!(received.state_lock.as_ref(), Some(&query["ID"]));
            received.states.push((query["ID"].clone(), body.clone()));
        }
    });
    held.map_or(answer, |id| (StatusCode::LOCKED, Json(json!({ "ID": id }))).into_response())
}
