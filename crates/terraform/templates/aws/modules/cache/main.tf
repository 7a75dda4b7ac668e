# One primary with replicas, encrypted in rest and on the way. Whoever connects signs in with a short-lived token of IAM:
# there is no password that could leak.

locals {
  tags  = { component = var.component }
  users = var.cache.users == null ? [] : [var.cache.users]
}

resource "aws_kms_key" "cache" {
  description             = "Data and snapshots of ${var.cache.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccountDecides"
      Effect    = "Allow"
      Action    = "kms:*"
      Resource  = "*"
      Principal = { AWS = "arn:${var.account.partition}:iam::${var.account.id}:root" }
    }]
  })

  tags = local.tags
}

resource "aws_kms_alias" "cache" {
  name          = "alias/${var.cache.key_alias}"
  target_key_id = aws_kms_key.cache.key_id
}

resource "aws_elasticache_subnet_group" "main" {
  name        = var.cache.subnet_group
  description = "Subnets of ${var.cache.name}"
  subnet_ids  = var.subnet_ids

  tags = local.tags
}

resource "aws_security_group" "main" {
  name        = var.cache.security_group
  description = "Cache ${var.cache.name}: private subnets come in, nothing goes out"
  vpc_id      = var.vpc_id

  tags = merge(local.tags, { Name = var.cache.security_group })
}

resource "aws_vpc_security_group_ingress_rule" "private" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.main.id
  description       = "From a private subnet"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 6379
  to_port           = 6379

  tags = local.tags
}

resource "aws_elasticache_parameter_group" "main" {
  name        = var.cache.parameter_group
  description = "Settings of ${var.cache.name}"
  family      = var.cache.family

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

# AWS demands that a user who signs in with IAM is named as its id.
resource "aws_elasticache_user" "application" {
  count = length(local.users)

  user_id       = local.users[count.index].application
  user_name     = local.users[count.index].application
  engine        = var.cache.engine
  access_string = "on ~* &* +@all -@admin -@dangerous +info"

  authentication_mode {
    type = "iam"
  }

  tags = local.tags
}

# Redis demands a default user, which everyone is who gives no name: this one may do nothing.
resource "aws_elasticache_user" "default" {
  count = length(compact(local.users[*].default))

  user_id       = local.users[count.index].default
  user_name     = "default"
  engine        = var.cache.engine
  access_string = "off ~* -@all"

  authentication_mode {
    type = "no-password-required"
  }

  tags = local.tags

  # With a change to Valkey it goes, but not before the group has let go of it.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_elasticache_user_group" "main" {
  count = length(local.users)

  user_group_id = local.users[count.index].group
  engine        = var.cache.engine
  user_ids      = concat(aws_elasticache_user.application[*].user_id, aws_elasticache_user.default[*].user_id)

  tags = local.tags
}

resource "aws_elasticache_replication_group" "main" {
  replication_group_id = var.cache.name
  description          = "Cache of the component ${var.component}"
  engine               = var.cache.engine
  engine_version       = var.cache.engine_version
  node_type            = var.cache.node_type
  port                 = 6379
  parameter_group_name = aws_elasticache_parameter_group.main.name

  num_cache_clusters         = var.cache.nodes
  automatic_failover_enabled = var.cache.nodes > 1
  multi_az_enabled           = var.cache.multi_zone

  subnet_group_name  = aws_elasticache_subnet_group.main.name
  security_group_ids = [aws_security_group.main.id]
  user_group_ids     = aws_elasticache_user_group.main[*].user_group_id

  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.cache.arn
  transit_encryption_enabled = true
  transit_encryption_mode    = length(local.users) == 0 ? null : "required"

  snapshot_retention_limit = var.cache.snapshot_retention_days
  maintenance_window       = var.cache.maintenance_window
  apply_immediately        = true

  # The Spec names the minor version: if AWS moved to the next one, going back would replace the cache.
  auto_minor_version_upgrade = false

  tags = local.tags
}
