//! The Terraform root of a Spec for someone who wants to run it without the platform.
//!
//! The same templates and variables that a Runner uses, without the backend, with a README that says how to go on.

use std::path::Path;

use alethia_domain::{access::CloudAccess, ids::SpecId, spec::Document};

use crate::{
    bundle,
    render::{self, RenderedRoot},
};

/// The standalone root of a Spec.
pub fn export(document: &Document, spec: SpecId, access: &CloudAccess) -> RenderedRoot {
    let mut root = render::standalone(document, spec, access);
    root.files.remove(Path::new(bundle::BACKEND_FILE));
    root.files.insert("README.md".into(), readme(document).into_bytes());
    root
}

fn readme(document: &Document) -> String {
    let components =
        document.components().iter().map(|component| format!("- `{component}`\n")).collect::<String>();
    format!(
        r#"# {name} ({stage}, {region})

A Terraform root, made by Alethia from the Spec `{name}` of the Zone `{zone}`. It is yours: it needs Terraform or
OpenTofu 1.11 or newer and nothing else.

## What it makes

{components}
## Run it

1. Sign in to AWS in the way you are used to (`AWS_PROFILE`, `aws sso login`, an instance role).
2. Say where the state is kept, in a file `backend.tf`. Without one it is the file `terraform.tfstate` in this folder.

   ```hcl
   terraform {{
     backend "s3" {{
       bucket       = "YOUR-STATE-BUCKET"
       key          = "{zone}/{name}/{stage}.tfstate"
       region       = "{region}"
       encrypt      = true
       use_lockfile = true
     }}
   }}
   ```

3. Look, then make it:

   ```sh
   terraform init
   terraform plan -out plan.bin
   terraform apply plan.bin
   ```

If Alethia has deployed this Spec before, take its state with you first (`alethia state show` says where it is), or
Terraform will try to make everything a second time.

## Change it

What is particular to this Spec is in `components.tf` and `{variables}`; the modules are the same for all Specs. To get
newer modules, export again: names stay the same as long as the Spec is the same.

`checkov -d . --config-file {checks}` checks it; exceptions stand there with their reasons.
"#,
        name = document.name,
        stage = document.stage,
        zone = document.zone,
        region = document.cloud.region,
        variables = render::VARIABLES_FILE,
        checks = bundle::CHECKS_FILE,
    )
}
