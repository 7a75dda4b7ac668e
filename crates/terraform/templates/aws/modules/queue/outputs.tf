output "summary" {
  description = "What the platform shows."

  value = {
    url             = aws_sqs_queue.main.url
    arn             = aws_sqs_queue.main.arn
    dead_letter_url = one(aws_sqs_queue.dead_letter[*].url)
    dead_letter_arn = one(aws_sqs_queue.dead_letter[*].arn)
  }
}

output "arn" {
  description = "The queue, once topics may send to it."
  value       = aws_sqs_queue.main.arn

  depends_on = [aws_sqs_queue_policy.main]
}
