# The control plane. Nodes are either run by EKS Auto Mode or are managed node groups, or both.

locals {
  tags = { component = var.component }

  trust_eks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Principal = { Service = "eks.amazonaws.com" }
    }]
  })

  managed_policies = "arn:${var.account.partition}:iam::aws:policy"

  cluster_policies = concat(
    ["AmazonEKSClusterPolicy"],
    var.cluster.auto_mode ? [
      "AmazonEKSBlockStoragePolicy",
      "AmazonEKSComputePolicy",
      "AmazonEKSLoadBalancingPolicy",
      "AmazonEKSNetworkingPolicy",
    ] : [],
  )
}

resource "aws_iam_role" "cluster" {
  name               = var.cluster.role
  description        = "What the EKS control plane may do"
  assume_role_policy = local.trust_eks

  tags = local.tags
}

resource "aws_iam_role_policy_attachment" "cluster" {
  for_each = toset(local.cluster_policies)

  role       = aws_iam_role.cluster.name
  policy_arn = "${local.managed_policies}/${each.key}"
}

# Kubernetes secrets are encrypted with this key before they reach the control plane's storage.
resource "aws_kms_key" "cluster" {
  description             = "Kubernetes secrets of ${var.cluster.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 30

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "AccountDecides"
      Effect    = "Allow"
      Action    = "kms:*"
      Resource  = "*"
      Principal = { AWS = "arn:${var.account.partition}:iam::${var.account.id}:root" }
    }]
  })

  tags = local.tags
}

resource "aws_kms_alias" "cluster" {
  name          = "alias/${var.cluster.key_alias}"
  target_key_id = aws_kms_key.cluster.key_id
}

resource "aws_iam_role_policy" "cluster_key" {
  name = "use-key"
  role = aws_iam_role.cluster.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:ListGrants"]
      Resource = aws_kms_key.cluster.arn
    }]
  })
}

# The last logs arrive after the cluster is gone: EKS may not bring back the group that was deleted with it, which would
# stand in the way of the next cluster of this name.
resource "aws_iam_role_policy" "cluster_logs" {
  name = "make-no-log-group"
  role = aws_iam_role.cluster.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Deny"
      Action   = "logs:CreateLogGroup"
      Resource = "*"
    }]
  })
}

# Made first, or EKS makes one that keeps logs forever.
resource "aws_cloudwatch_log_group" "cluster" {
  count = length(var.cluster.logs) == 0 ? 0 : 1

  name              = var.cluster.log_group
  retention_in_days = var.cluster.log_retention_days

  tags = local.tags
}

# Remembers the range that the cluster was made with.
resource "terraform_data" "service_range" {
  input = var.cluster.service_cidr

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_eks_cluster" "main" {
  name                          = var.cluster.name
  role_arn                      = aws_iam_role.cluster.arn
  version                       = var.cluster.version
  enabled_cluster_log_types     = var.cluster.logs
  deletion_protection           = var.cluster.deletion_protection
  bootstrap_self_managed_addons = false

  # Whoever creates the cluster administers it: the role of the Runner, which goes on to install what runs on it.
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }

  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = var.cluster.public_endpoint
    public_access_cidrs     = var.cluster.public_endpoint ? var.cluster.allowed_cidrs : null
  }

  kubernetes_network_config {
    service_ipv4_cidr = var.cluster.service_cidr

    elastic_load_balancing {
      enabled = var.cluster.auto_mode
    }
  }

  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = aws_kms_key.cluster.arn
    }
  }

  compute_config {
    enabled       = var.cluster.auto_mode
    node_pools    = var.cluster.auto_mode ? ["general-purpose", "system"] : null
    node_role_arn = var.cluster.auto_mode ? aws_iam_role.auto_node.arn : null
  }

  storage_config {
    block_storage {
      enabled = var.cluster.auto_mode
    }
  }

  upgrade_policy {
    support_type = var.cluster.support_type
  }

  zonal_shift_config {
    enabled = true
  }

  tags = local.tags

  lifecycle {
    precondition {
      condition     = terraform_data.service_range.output == var.cluster.service_cidr
      error_message = "A cluster keeps its service range ${terraform_data.service_range.output}. To change it, remove the cluster, deploy, and add it again."
    }
  }

  depends_on = [
    aws_cloudwatch_log_group.cluster,
    aws_iam_role_policy.cluster_key,
    aws_iam_role_policy.cluster_logs,
    aws_iam_role_policy_attachment.auto_node,
    aws_iam_role_policy_attachment.cluster,
  ]
}
