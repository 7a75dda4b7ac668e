locals {
  tags = { component = var.component }
}

resource "aws_ecr_repository" "main" {
  name                 = var.container_registry.name
  image_tag_mutability = var.container_registry.immutable_tags ? "IMMUTABLE" : "MUTABLE"
  force_delete         = var.container_registry.force_delete

  encryption_configuration {
    encryption_type = "KMS"
  }

  image_scanning_configuration {
    scan_on_push = var.container_registry.scan_on_push
  }

  tags = local.tags
}

resource "aws_ecr_lifecycle_policy" "main" {
  repository = aws_ecr_repository.main.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the newest images"
      action       = { type = "expire" }
      selection = {
        tagStatus   = "any"
        countType   = "imageCountMoreThan"
        countNumber = var.container_registry.keep_images
      }
    }]
  })
}

resource "aws_ecr_repository_policy" "pull" {
  count = length(var.container_registry.pull_accounts) == 0 ? 0 : 1

  repository = aws_ecr_repository.main.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "OtherAccountsPull"
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
      ]
      Principal = {
        AWS = [for account in var.container_registry.pull_accounts : "arn:${var.account.partition}:iam::${account}:root"]
      }
    }]
  })
}
