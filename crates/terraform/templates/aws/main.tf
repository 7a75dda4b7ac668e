# One environment: the way into the cloud, and what all of its components share. The components are in components.tf, each
# a module of its own, so that every resource address begins with the component it belongs to.

provider "aws" {
  region = var.region

  dynamic "assume_role" {
    for_each = var.assume_role == null ? [] : [var.assume_role]

    content {
      role_arn     = assume_role.value.role_arn
      session_name = "alethia"
      external_id  = assume_role.value.external_id
    }
  }

  default_tags {
    tags = local.tags
  }
}

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  tags = {
    zone       = var.tags.zone
    spec       = var.tags.spec
    stage      = var.tags.stage
    managed-by = "alethia"
  }

  account = {
    id        = data.aws_caller_identity.current.account_id
    partition = data.aws_partition.current.partition
    region    = var.region
  }

  private_cidrs = try(var.network.private_subnets, [])
}
