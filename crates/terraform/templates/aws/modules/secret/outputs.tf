output "summary" {
  description = "What the platform shows: where the secret is, not what it is."

  value = {
    name = aws_secretsmanager_secret.main.name
    arn  = aws_secretsmanager_secret.main.arn
  }
}

output "arn" {
  description = "The secret."
  value       = aws_secretsmanager_secret.main.arn
}
