//! Every route, in groups by what they may cost: size of the body, time of the answer.

use axum::Router;
use utoipa::OpenApi as _;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    docs, health, identities, jobs, keys,
    limits::{Limited, around},
    logs, problem, runner, runners, specs, state_backend, states, stream, tokens, version, zones,
};
use crate::app::App;

/// Below this path is the API of this version.
const API: &str = "/api/v1";

/// The whole Console as a service.
pub(crate) fn router(app: App) -> Router {
    let limits = &app.config.limits;
    let mut api = docs::Description::openapi();
    let routes = Router::new()
        .merge(described(health(), &mut api))
        .merge(described(ordinary(), &mut api).bodies_up_to(limits.body).within(limits.request_time, &app))
        .merge(described(log_upload(), &mut api).bodies_up_to(limits.logs).within(limits.request_time, &app))
        .merge(
            described(transfers(), &mut api)
                .bodies_up_to(limits.plan_file)
                .within(limits.transfer_time, &app),
        )
        .merge(described(rescue(), &mut api).bodies_up_to(limits.state).within(limits.transfer_time, &app))
        .merge(state_backend::routes(API).bodies_up_to(limits.state).within(limits.transfer_time, &app))
        .merge(described(waiting(), &mut api).bodies_up_to(limits.body).within(limits.waiting_time(), &app));
    let routes = routes
        .merge(docs::routes(docs::complete(api)))
        .fallback(problem::no_route)
        .method_not_allowed_fallback(problem::no_method);
    around(routes.with_state(app.clone()), &app)
}

/// The routes of a group; what they say of themselves is added to the description.
fn described(group: OpenApiRouter<App>, api: &mut utoipa::openapi::OpenApi) -> Router<App> {
    let (routes, described) = group.split_for_parts();
    api.merge(described);
    routes
}

fn ordinary() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(version::get))
        .routes(routes!(zones::list, zones::create))
        .routes(routes!(zones::get, zones::change, zones::delete))
        .routes(routes!(specs::put, specs::get_by_name))
        .routes(routes!(specs::list))
        .routes(routes!(specs::get, specs::delete))
        .routes(routes!(specs::revisions))
        .routes(routes!(specs::revision))
        .routes(routes!(specs::diff))
        .routes(routes!(specs::rollback))
        .routes(routes!(jobs::create))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::get))
        .routes(routes!(jobs::plan))
        .routes(routes!(jobs::cancel))
        .routes(routes!(jobs::retry))
        .routes(routes!(jobs::recover))
        .routes(routes!(logs::list))
        .routes(routes!(identities::list, identities::create))
        .routes(routes!(identities::delete))
        .routes(routes!(runners::list, runners::create))
        .routes(routes!(runners::delete))
        .routes(routes!(keys::list))
        .routes(routes!(keys::rotate))
        .routes(routes!(keys::remove))
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
        .routes(routes!(states::get))
        .routes(routes!(states::versions))
        .routes(routes!(states::content))
        .routes(routes!(states::restore))
        .routes(routes!(states::unlock))
        .routes(routes!(runner::start))
        .routes(routes!(runner::release))
        .routes(routes!(runner::progress))
        .routes(routes!(runner::finish));
    OpenApiRouter::new().routes(routes!(health::metrics)).nest(API, api)
}

/// They answer also where nothing else does.
fn health() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(health::healthz)).routes(routes!(health::readyz))
}

fn log_upload() -> OpenApiRouter<App> {
    OpenApiRouter::new().nest(API, OpenApiRouter::new().routes(routes!(runner::logs)))
}

/// Plan files, and the summary that goes with one: it may list thousands of resources.
fn transfers() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(runner::put_plan_file, runner::get_plan_file))
        .routes(routes!(runner::put_plan));
    OpenApiRouter::new().nest(API, api)
}

fn rescue() -> OpenApiRouter<App> {
    OpenApiRouter::new().nest(API, OpenApiRouter::new().routes(routes!(runner::rescue_state)))
}

/// A claim and a heartbeat wait, and a stream goes on after its answer has begun: only that beginning is limited here.
fn waiting() -> OpenApiRouter<App> {
    let api = OpenApiRouter::new()
        .routes(routes!(runner::claim))
        .routes(routes!(runner::heartbeat))
        .routes(routes!(stream::job))
        .routes(routes!(stream::everything));
    OpenApiRouter::new().nest(API, api)
}
