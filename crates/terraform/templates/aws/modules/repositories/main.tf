# What the GitOps controller on the cluster reads: where the manifests are, and which secret opens the door to them.

locals {
  tags        = { component = var.component }
  credentials = { for name, entry in var.repositories.entries : name => var.secret_arns[entry.credential] if entry.credential != null }
}

resource "aws_ssm_parameter" "repository" {
  for_each = var.repositories.entries

  name        = "${var.repositories.parameter_prefix}/repositories/${each.key}"
  description = "Git repository: ${each.key}"
  type        = "String"

  value = jsonencode({
    url        = each.value.url
    revision   = each.value.revision
    path       = each.value.path
    credential = each.value.credential == null ? null : var.secret_arns[each.value.credential]
  })

  tags = local.tags
}

resource "aws_iam_role" "reader" {
  count = var.has_cluster && length(var.repositories.entries) > 0 ? 1 : 0

  name        = var.repositories.reader_role
  description = "Lets the GitOps controller read its repositories and their credentials"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "pods.eks.amazonaws.com" }
    }]
  })

  tags = local.tags
}

resource "aws_iam_role_policy" "reader" {
  count = length(aws_iam_role.reader)

  name = "read-repositories"
  role = aws_iam_role.reader[count.index].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Repositories"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:GetParameters"]
        Resource = [for parameter in aws_ssm_parameter.repository : parameter.arn]
      }],
      [for arns in length(local.credentials) == 0 ? [] : [values(local.credentials)] : {
        Sid      = "Credentials"
        Effect   = "Allow"
        Action   = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
        Resource = arns
      }],
    )
  })
}

resource "aws_eks_pod_identity_association" "reader" {
  count = length(aws_iam_role.reader)

  cluster_name    = var.cluster_name
  namespace       = "argocd"
  service_account = "argocd-repo-server"
  role_arn        = aws_iam_role.reader[count.index].arn

  tags = local.tags
}
