//! The API's own description: OpenAPI 3.1 and a page to read it on. Needs no identity: it is the same for everybody.

use axum::Router;
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, RefOr, ResponseBuilder,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_swagger_ui::SwaggerUi;

use alethia_api::problem::{CONTENT_TYPE, Problem};

use crate::app::App;

/// What the description says beside its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Alethia",
        description = "The Console's API. Errors are RFC 9457 problems. Lists are pages by cursor. \
            Terraform's `http` state backend is at `/api/v1/state/{spec_id}` (GET, POST, DELETE, LOCK, UNLOCK; basic \
            authentication with the user `job` and a job token); LOCK and UNLOCK can't be written down here.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(Problem))
)]
pub(super) struct Description;

/// The name of the one security scheme.
const TOKEN: &str = "token";

/// Adds what is the same for every operation: the token it needs, and that it may answer with a problem.
pub(super) fn complete(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    api.components.get_or_insert_default().add_security_scheme(TOKEN, scheme);
    for item in api.paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.put, &mut item.post, &mut item.delete].into_iter().flatten();
        operations.for_each(complete_operation);
    }
    api
}

/// `/openapi.json` and `/docs`.
pub(super) fn routes(api: utoipa::openapi::OpenApi) -> Router<App> {
    SwaggerUi::new("/docs").url("/openapi.json", api).into()
}

fn complete_operation(operation: &mut Operation) {
    let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let problem = ResponseBuilder::new().description("A problem").content(CONTENT_TYPE, problem).build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem));
    let needs_token = || vec![SecurityRequirement::new(TOKEN, Vec::<String>::new())];
    operation.security.get_or_insert_with(needs_token);
}
