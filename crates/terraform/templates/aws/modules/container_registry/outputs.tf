output "summary" {
  description = "What the platform shows."

  value = {
    name = aws_ecr_repository.main.name
    url  = aws_ecr_repository.main.repository_url
    arn  = aws_ecr_repository.main.arn
  }
}
