# The exact providers that these modules are made for. The hashes of a registry's packages are not part of the file:
# `terraform init` takes an entry without hashes as it is, checks the version, and adds the hashes of what it installs.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.66.0"
  constraints = "6.66.0"
}

provider "registry.terraform.io/hashicorp/random" {
  version     = "3.9.1"
  constraints = "3.9.1"
}
