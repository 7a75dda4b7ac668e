# A generated value exists only while Terraform runs: it is ephemeral here and write-only there, so neither plan nor state
# nor output ever holds it. Without `generate` the owner puts the value in, and no version is made here.

locals {
  tags      = { component = var.component }
  generated = var.secret.generate == null ? [] : [var.secret.generate]
}

# A deleted secret keeps its name until its recovery time is over. With an ending of its own the next one is not in its way.
resource "random_id" "secret" {
  byte_length = 4
}

resource "aws_secretsmanager_secret" "main" {
  name                    = "${var.secret.name}-${random_id.secret.hex}"
  description             = coalesce(var.secret.description, "Secret of the component ${var.component}")
  recovery_window_in_days = var.secret.recovery_days

  dynamic "replica" {
    for_each = toset(var.secret.replica_regions)

    content {
      region = replica.value
    }
  }

  tags = local.tags
}

# Only this account reads it, whatever else is allowed elsewhere.
resource "aws_secretsmanager_secret_policy" "main" {
  secret_arn          = aws_secretsmanager_secret.main.arn
  block_public_policy = true

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOwnAccount"
      Effect    = "Deny"
      Action    = "secretsmanager:GetSecretValue"
      Resource  = "*"
      Principal = "*"
      Condition = {
        StringNotEquals = { "aws:PrincipalAccount" = var.account.id }
        Bool            = { "aws:PrincipalIsAWSService" = "false" }
      }
    }]
  })
}

ephemeral "random_password" "value" {
  count = length(local.generated)

  length  = local.generated[count.index].length
  special = local.generated[count.index].special_characters
}

resource "aws_secretsmanager_secret_version" "generated" {
  count = length(local.generated)

  secret_id                = aws_secretsmanager_secret.main.id
  secret_string_wo         = ephemeral.random_password.value[count.index].result
  secret_string_wo_version = local.generated[count.index].rotation
}
