output "summary" {
  description = "What the platform shows."

  value = {
    arn           = aws_sns_topic.main.arn
    subscriptions = length(aws_sns_topic_subscription.main)
  }
}
