locals {
  tags = { component = var.component }

  # Worked out instead of looked up: the topics of the Spec are made after their queues.
  topic_arns = [
    for name in var.queue.topics : "arn:${var.account.partition}:sns:${var.account.region}:${var.account.id}:${name}"
  ]

  dead_letters = var.queue.dead_letter == null ? [] : [var.queue.dead_letter]
}

resource "aws_sqs_queue" "main" {
  name                       = var.queue.name
  visibility_timeout_seconds = var.queue.visibility_timeout_seconds
  message_retention_seconds  = var.queue.retention_seconds
  delay_seconds              = var.queue.delay_seconds
  max_message_size           = var.queue.max_message_bytes
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true

  fifo_queue                  = var.queue.ordered ? true : null
  content_based_deduplication = var.queue.ordered ? true : null
  deduplication_scope         = var.queue.ordered ? (var.queue.high_throughput ? "messageGroup" : "queue") : null
  fifo_throughput_limit       = var.queue.ordered ? (var.queue.high_throughput ? "perMessageGroupId" : "perQueue") : null

  tags = local.tags
}

resource "aws_sqs_queue" "dead_letter" {
  count = length(local.dead_letters)

  name                      = local.dead_letters[count.index].name
  message_retention_seconds = local.dead_letters[count.index].retention_seconds
  fifo_queue                = var.queue.ordered ? true : null
  sqs_managed_sse_enabled   = true

  tags = local.tags
}

# Apart from the queue: an attribute that is left out keeps its last value there, a resource that goes takes it along.
resource "aws_sqs_queue_redrive_policy" "main" {
  count = length(local.dead_letters)

  queue_url = aws_sqs_queue.main.url

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter[count.index].arn
    maxReceiveCount     = local.dead_letters[count.index].max_receives
  })
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letter" {
  count = length(local.dead_letters)

  queue_url = aws_sqs_queue.dead_letter[count.index].url

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.main.arn]
  })
}

resource "aws_sqs_queue_policy" "main" {
  queue_url = aws_sqs_queue.main.url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "OnlyEncrypted"
        Effect    = "Deny"
        Action    = "sqs:*"
        Resource  = aws_sqs_queue.main.arn
        Principal = "*"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for arns in length(local.topic_arns) == 0 ? [] : [local.topic_arns] : {
        Sid       = "OwnTopics"
        Effect    = "Allow"
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.main.arn
        Principal = { Service = "sns.amazonaws.com" }
        Condition = { ArnLike = { "aws:SourceArn" = arns } }
      }],
    )
  })
}

resource "aws_sqs_queue_policy" "dead_letter" {
  count = length(local.dead_letters)

  queue_url = aws_sqs_queue.dead_letter[count.index].url

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyEncrypted"
      Effect    = "Deny"
      Action    = "sqs:*"
      Resource  = aws_sqs_queue.dead_letter[count.index].arn
      Principal = "*"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
