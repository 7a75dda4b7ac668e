locals {
  firewalls = var.dns.waf == null ? [] : [var.dns.waf]

  # Rules that AWS maintains, in the order in which they are looked at.
  rule_groups = [
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesSQLiRuleSet",
  ]
}

resource "aws_wafv2_web_acl" "main" {
  count = length(local.firewalls)

  name        = local.firewalls[count.index].name
  description = "In front of the load balancers of this environment"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  rule {
    name     = "rate-limit"
    priority = 0

    action {
      dynamic "block" {
        for_each = local.firewalls[count.index].block ? [1] : []
        content {}
      }

      dynamic "count" {
        for_each = local.firewalls[count.index].block ? [] : [1]
        content {}
      }
    }

    statement {
      rate_based_statement {
        limit                 = local.firewalls[count.index].rate_limit
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
      metric_name                = "rate-limit"
    }
  }

  dynamic "rule" {
    for_each = local.rule_groups

    content {
      name     = rule.value
      priority = rule.key + 1

      override_action {
        dynamic "none" {
          for_each = local.firewalls[count.index].block ? [1] : []
          content {}
        }

        dynamic "count" {
          for_each = local.firewalls[count.index].block ? [] : [1]
          content {}
        }
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.value
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
        metric_name                = rule.value
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
    metric_name                = local.firewalls[count.index].name
  }

  tags = local.tags
}

resource "aws_wafv2_web_acl_association" "attached" {
  for_each = toset(flatten(local.firewalls[*].attach_to))

  web_acl_arn  = aws_wafv2_web_acl.main[0].arn
  resource_arn = each.key
}

resource "aws_cloudwatch_log_group" "firewall" {
  count = length(local.firewalls)

  name              = local.firewalls[count.index].log_group
  retention_in_days = 90

  tags = local.tags
}

resource "aws_wafv2_web_acl_logging_configuration" "main" {
  count = length(local.firewalls)

  resource_arn            = aws_wafv2_web_acl.main[count.index].arn
  log_destination_configs = [aws_cloudwatch_log_group.firewall[count.index].arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "cookie"
    }
  }
}
