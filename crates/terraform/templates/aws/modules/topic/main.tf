locals {
  tags      = { component = var.component }
  functions = { for key, subscription in var.topic.subscriptions : key => subscription.endpoint if subscription.protocol == "lambda" }
}

resource "aws_sns_topic" "main" {
  name              = var.topic.name
  display_name      = var.topic.display_name
  kms_master_key_id = "alias/aws/sns"

  fifo_topic                  = var.topic.ordered ? true : null
  content_based_deduplication = var.topic.ordered ? true : null
  signature_version           = var.topic.ordered ? null : 2

  tags = local.tags
}

resource "aws_sns_topic_policy" "main" {
  arn = aws_sns_topic.main.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OwnAccount"
        Effect = "Allow"
        Action = [
          "sns:GetTopicAttributes",
          "sns:ListSubscriptionsByTopic",
          "sns:Publish",
          "sns:SetTopicAttributes",
          "sns:Subscribe",
        ]
        Resource  = aws_sns_topic.main.arn
        Principal = { AWS = "arn:${var.account.partition}:iam::${var.account.id}:root" }
      },
      {
        Sid       = "OnlyEncrypted"
        Effect    = "Deny"
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.main.arn
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# Queues get the bare message; the others need the envelope to check the signature.
resource "aws_sns_topic_subscription" "main" {
  for_each = var.topic.subscriptions

  topic_arn            = aws_sns_topic.main.arn
  protocol             = each.value.protocol
  endpoint             = each.value.protocol == "sqs" ? var.queue_arns[each.value.endpoint] : each.value.endpoint
  filter_policy        = each.value.filter
  raw_message_delivery = each.value.protocol == "sqs"

  depends_on = [aws_lambda_permission.topic, aws_sns_topic_policy.main]
}

resource "aws_lambda_permission" "topic" {
  for_each = local.functions

  action        = "lambda:InvokeFunction"
  function_name = each.value
  principal     = "sns.amazonaws.com"
  source_arn    = aws_sns_topic.main.arn
}
