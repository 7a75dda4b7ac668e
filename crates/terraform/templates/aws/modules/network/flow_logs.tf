locals {
  flow_logs = var.network.flow_logs == null ? [] : [var.network.flow_logs]
}

resource "aws_cloudwatch_log_group" "flow" {
  count = length(local.flow_logs)

  name              = local.flow_logs[count.index].log_group
  retention_in_days = local.flow_logs[count.index].retention_days

  tags = local.tags
}

resource "aws_iam_role" "flow" {
  count = length(local.flow_logs)

  name        = local.flow_logs[count.index].role
  description = "Lets VPC flow logs write to their log group"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account.id } }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "flow" {
  count = length(local.flow_logs)

  name = "write-flow-logs"
  role = aws_iam_role.flow[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = [aws_cloudwatch_log_group.flow[count.index].arn, "${aws_cloudwatch_log_group.flow[count.index].arn}:*"]
      },
      {
        Effect   = "Allow"
        Action   = "logs:DescribeLogGroups"
        Resource = "arn:${var.account.partition}:logs:${var.account.region}:${var.account.id}:log-group:*"
      },
    ]
  })
}

resource "aws_flow_log" "main" {
  count = length(local.flow_logs)

  vpc_id                   = aws_vpc.main.id
  traffic_type             = "ALL"
  log_destination          = aws_cloudwatch_log_group.flow[count.index].arn
  iam_role_arn             = aws_iam_role.flow[count.index].arn
  max_aggregation_interval = 600

  tags = merge(local.tags, { Name = var.network.name })

  depends_on = [aws_iam_role_policy.flow]
}
