# Aurora Serverless v2. The administrator's password is made, kept and rotated by RDS in Secrets Manager: it is never in
# the state, nor does anyone need to see it. Everything is encrypted with the keys that AWS keeps in the account: a key made
# here would be deleted along with the database, and the last snapshot could not be read any more.

locals {
  tags = { component = var.component }
}

resource "aws_db_subnet_group" "main" {
  name        = var.database.subnet_group
  description = "Subnets of ${var.database.name}"
  subnet_ids  = var.subnet_ids

  tags = local.tags
}

resource "aws_security_group" "main" {
  name        = var.database.security_group
  description = "Database ${var.database.name}: private subnets come in, nothing goes out"
  vpc_id      = var.vpc_id

  tags = merge(local.tags, { Name = var.database.security_group })
}

resource "aws_vpc_security_group_ingress_rule" "private" {
  for_each = toset(var.allowed_cidrs)

  security_group_id = aws_security_group.main.id
  description       = "From a private subnet"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = var.database.port
  to_port           = var.database.port

  tags = local.tags
}

resource "aws_rds_cluster_parameter_group" "main" {
  name        = var.database.parameter_group
  description = "Settings of ${var.database.name}"
  family      = var.database.family

  dynamic "parameter" {
    for_each = var.database.parameters

    content {
      name  = parameter.key
      value = parameter.value
    }
  }

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

# Made first, or RDS makes groups that keep logs forever.
resource "aws_cloudwatch_log_group" "export" {
  for_each = var.database.log_groups

  name              = each.value
  retention_in_days = 90

  tags = local.tags
}

# Another ending for every cluster that ever had this name, so that its last snapshot never meets an older one: whatever
# replaces the cluster is a keeper.
resource "random_id" "final_snapshot" {
  byte_length = 4

  keepers = {
    cluster  = var.database.name
    engine   = var.database.engine
    database = var.database.database_name
    username = var.database.username
  }
}

resource "aws_rds_cluster" "main" {
  cluster_identifier = var.database.name
  engine             = var.database.engine
  engine_mode        = "provisioned"
  engine_version     = var.database.engine_version
  database_name      = var.database.database_name
  port               = var.database.port

  master_username             = var.database.username
  manage_master_user_password = true

  db_subnet_group_name            = aws_db_subnet_group.main.name
  vpc_security_group_ids          = [aws_security_group.main.id]
  db_cluster_parameter_group_name = aws_rds_cluster_parameter_group.main.name

  storage_encrypted                   = true
  iam_database_authentication_enabled = var.database.iam_auth
  enable_http_endpoint                = var.database.data_api
  enabled_cloudwatch_logs_exports     = keys(var.database.log_groups)

  backup_retention_period   = var.database.backup_retention_days
  preferred_backup_window   = var.database.backup_window
  copy_tags_to_snapshot     = true
  deletion_protection       = var.database.deletion_protection
  skip_final_snapshot       = var.database.final_snapshot == null
  final_snapshot_identifier = var.database.final_snapshot == null ? null : "${var.database.final_snapshot}-${random_id.final_snapshot.hex}"

  # What the Spec says holds when the apply ends, also for a new major version: the plan shows both.
  apply_immediately           = true
  allow_major_version_upgrade = true

  serverlessv2_scaling_configuration {
    min_capacity             = var.database.min_capacity
    max_capacity             = var.database.max_capacity
    seconds_until_auto_pause = var.database.auto_pause_seconds
  }

  tags = local.tags

  depends_on = [aws_cloudwatch_log_group.export]
}

# The first is the writer. Readers stand by at the writer's size and take over when it fails.
resource "aws_rds_cluster_instance" "main" {
  count = length(var.database.instances)

  identifier                 = var.database.instances[count.index]
  cluster_identifier         = aws_rds_cluster.main.cluster_identifier
  engine                     = aws_rds_cluster.main.engine
  instance_class             = "db.serverless"
  promotion_tier             = min(count.index, 1)
  publicly_accessible        = false
  auto_minor_version_upgrade = true
  apply_immediately          = true
  copy_tags_to_snapshot      = true

  performance_insights_enabled = var.database.performance_insights

  tags = local.tags
}
