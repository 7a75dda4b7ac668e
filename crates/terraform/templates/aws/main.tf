# One environment. Every component kind is a module of its own; the named ones are keyed by their name in the Spec, so
# every resource address begins with the component that it belongs to.

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

  vpc_id             = one(module.network[*].vpc_id)
  private_subnet_ids = one(module.network[*].private_subnet_ids)
  private_cidrs      = try(var.network.private_subnets, [])
}

module "network" {
  source = "./modules/network"
  count  = var.network == null ? 0 : 1

  component = "network"
  account   = local.account
  network   = var.network
}

module "cluster" {
  source = "./modules/cluster"
  count  = var.cluster == null ? 0 : 1

  component  = "cluster"
  account    = local.account
  tags       = local.tags
  cluster    = var.cluster
  subnet_ids = local.private_subnet_ids
}

module "dns" {
  source = "./modules/dns"
  count  = var.dns == null ? 0 : 1

  component = "dns"
  dns       = var.dns
}

module "repositories" {
  source = "./modules/repositories"
  count  = var.repositories == null ? 0 : 1

  component    = "repositories"
  repositories = var.repositories
  secret_arns  = { for name, secret in module.secret : name => secret.arn }
  cluster_name = one(module.cluster[*].name)
  has_cluster  = var.cluster != null
}

module "database" {
  source   = "./modules/database"
  for_each = var.databases

  component     = "database.${each.key}"
  account       = local.account
  database      = each.value
  vpc_id        = local.vpc_id
  subnet_ids    = one(module.network[*].database_subnet_ids)
  allowed_cidrs = local.private_cidrs
}

module "cache" {
  source   = "./modules/cache"
  for_each = var.caches

  component     = "cache.${each.key}"
  account       = local.account
  cache         = each.value
  vpc_id        = local.vpc_id
  subnet_ids    = local.private_subnet_ids
  allowed_cidrs = local.private_cidrs
}

module "queue" {
  source   = "./modules/queue"
  for_each = var.queues

  component = "queue.${each.key}"
  account   = local.account
  queue     = each.value
}

module "topic" {
  source   = "./modules/topic"
  for_each = var.topics

  component  = "topic.${each.key}"
  account    = local.account
  topic      = each.value
  queue_arns = { for name, queue in module.queue : name => queue.arn }
}

module "nosql_table" {
  source   = "./modules/nosql_table"
  for_each = var.nosql_tables

  component   = "nosql_table.${each.key}"
  nosql_table = each.value
}

module "container_registry" {
  source   = "./modules/container_registry"
  for_each = var.container_registries

  component          = "container_registry.${each.key}"
  account            = local.account
  container_registry = each.value
}

module "secret" {
  source   = "./modules/secret"
  for_each = var.secrets

  component = "secret.${each.key}"
  account   = local.account
  secret    = each.value
}
