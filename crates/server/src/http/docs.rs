//! The API's own description: OpenAPI 3.1 and a page to read it on. Needs no identity: it is the same for everybody.

use axum::{Router, response::Redirect, routing::get};
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

/// Adds what every operation has: an id, the token it needs, and that it may answer with a problem.
pub(super) fn complete(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    api.components.get_or_insert_default().add_security_scheme(TOKEN, scheme);
    for (path, item) in &mut api.paths.paths {
        let operations = [
            ("get", &mut item.get),
            ("put", &mut item.put),
            ("post", &mut item.post),
            ("delete", &mut item.delete),
        ];
        for (method, operation) in operations {
            operation.iter_mut().for_each(|operation| complete_operation(operation, method, path));
        }
    }
    api
}

/// `/openapi.json` and `/docs`, and the way there for who opens the Console's bare address.
pub(super) fn routes(api: utoipa::openapi::OpenApi) -> Router<App> {
    let pages: Router<App> = SwaggerUi::new("/docs").url("/openapi.json", api).into();
    pages.route("/", get(async || Redirect::temporary("/docs/")))
}

fn complete_operation(operation: &mut Operation, method: &str, path: &str) {
    operation.operation_id = Some(operation_id(method, path));
    let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let problem = ResponseBuilder::new().description("A problem").content(CONTENT_TYPE, problem).build();
    operation.responses.responses.insert("default".to_owned(), RefOr::T(problem));
    let needs_token = || vec![SecurityRequirement::new(TOKEN, Vec::<String>::new())];
    operation.security.get_or_insert_with(needs_token);
}

/// A name for generated clients: `get_specs_by_id_revisions`.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.trim_start_matches("/api/v1");
    let words = path.split('/').filter(|segment| !segment.is_empty()).map(|segment| {
        match segment.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(parameter) => format!("by_{parameter}"),
            None => segment.replace('-', "_"),
        }
    });
    std::iter::once(method.to_owned()).chain(words).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::operation_id;

    #[test]
    fn an_operation_is_named_by_what_it_does_to_what() {
        assert_eq!(
            operation_id("get", "/api/v1/specs/{id}/revisions/{number}"),
            "get_specs_by_id_revisions_by_number"
        );
        assert_eq!(operation_id("post", "/api/v1/cloud-identities"), "post_cloud_identities");
    }
}
