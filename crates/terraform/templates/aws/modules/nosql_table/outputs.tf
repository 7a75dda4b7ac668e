output "summary" {
  description = "What the platform shows."

  value = {
    name       = aws_dynamodb_table.main.name
    arn        = aws_dynamodb_table.main.arn
    stream_arn = local.stream ? aws_dynamodb_table.main.stream_arn : null
  }
}
