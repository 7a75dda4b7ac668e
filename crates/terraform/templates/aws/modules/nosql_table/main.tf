locals {
  tags        = { component = var.component }
  provisioned = var.nosql_table.provisioned == null ? [] : [var.nosql_table.provisioned]

  # Copies in other regions are kept up to date by the stream of changes.
  stream = var.nosql_table.stream || length(var.nosql_table.replicas) > 0

  # Reserved throughput grows by itself up to so many times what the Spec reserves.
  growth = 4

  former_expiry_attribute = try(one(flatten(data.aws_dynamodb_table.former[*].ttl)).attribute_name, null)

  scaling = merge([
    for reserved in local.provisioned : {
      Read  = reserved.read
      Write = reserved.write
    }
  ]...)
}

# Items stop to expire only for who names the attribute by which they did, and a Spec without expiry does not say it any
# more. So a table that is there already is asked.
data "aws_dynamodb_tables" "all" {
  count = var.nosql_table.expiry_attribute == null ? 1 : 0
}

data "aws_dynamodb_table" "former" {
  count = contains(flatten(data.aws_dynamodb_tables.all[*].names), var.nosql_table.name) ? 1 : 0

  name = var.nosql_table.name
}

resource "aws_dynamodb_table" "main" {
  name         = var.nosql_table.name
  billing_mode = var.nosql_table.capacity_mode
  table_class  = var.nosql_table.table_class
  hash_key     = var.nosql_table.partition_key
  range_key    = var.nosql_table.sort_key

  read_capacity  = one(local.provisioned[*].read)
  write_capacity = one(local.provisioned[*].write)

  stream_enabled   = local.stream
  stream_view_type = local.stream ? "NEW_AND_OLD_IMAGES" : null

  deletion_protection_enabled = var.nosql_table.deletion_protection

  dynamic "attribute" {
    for_each = var.nosql_table.attributes

    content {
      name = attribute.key
      type = attribute.value
    }
  }

  dynamic "global_secondary_index" {
    for_each = var.nosql_table.indexes

    content {
      name            = global_secondary_index.key
      projection_type = "ALL"
      read_capacity   = one(local.provisioned[*].read)
      write_capacity  = one(local.provisioned[*].write)

      key_schema {
        attribute_name = global_secondary_index.value.partition_key
        key_type       = "HASH"
      }

      dynamic "key_schema" {
        for_each = global_secondary_index.value.sort_key == null ? [] : [global_secondary_index.value.sort_key]

        content {
          attribute_name = key_schema.value
          key_type       = "RANGE"
        }
      }
    }
  }

  # Always written: without the block a table would go on to expire items in silence when the Spec no longer says so.
  ttl {
    enabled        = var.nosql_table.expiry_attribute != null
    attribute_name = var.nosql_table.expiry_attribute == null ? local.former_expiry_attribute : var.nosql_table.expiry_attribute
  }

  point_in_time_recovery {
    enabled = var.nosql_table.point_in_time_recovery
  }

  server_side_encryption {
    enabled = true
  }

  dynamic "replica" {
    for_each = toset(var.nosql_table.replicas)

    content {
      region_name                 = replica.value
      point_in_time_recovery      = var.nosql_table.point_in_time_recovery
      deletion_protection_enabled = var.nosql_table.deletion_protection
      propagate_tags              = true
    }
  }

  tags = local.tags

  lifecycle {
    # Scaling moves these between what the Spec reserves and its limit; a change of the Spec moves the lower bound.
    ignore_changes = [read_capacity, write_capacity]
  }
}

resource "aws_appautoscaling_target" "main" {
  for_each = local.scaling

  service_namespace  = "dynamodb"
  resource_id        = "table/${aws_dynamodb_table.main.name}"
  scalable_dimension = "dynamodb:table:${each.key}CapacityUnits"
  min_capacity       = each.value
  max_capacity       = min(each.value * local.growth, 40000)

  tags = local.tags
}

resource "aws_appautoscaling_policy" "main" {
  for_each = local.scaling

  name               = "utilization"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.main[each.key].service_namespace
  resource_id        = aws_appautoscaling_target.main[each.key].resource_id
  scalable_dimension = aws_appautoscaling_target.main[each.key].scalable_dimension

  target_tracking_scaling_policy_configuration {
    target_value = 70

    predefined_metric_specification {
      predefined_metric_type = "DynamoDB${each.key}CapacityUtilization"
    }
  }
}
