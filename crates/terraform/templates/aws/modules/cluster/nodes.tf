locals {
  # Nodes of Auto Mode get along with the least policy there is; managed ones also set up their own pod network.
  auto_node_policies = ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodeMinimalPolicy"]
  node_policies      = ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy"]

  trust_machines = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

# A role has one entry in the cluster, and its type differs between nodes of Auto Mode and managed ones: two roles. Both are
# there for as long as the cluster is, because EKS keeps the entry of a role that goes, and it shuts out the next of that name.
resource "aws_iam_role" "auto_node" {
  name               = var.cluster.auto_node_role
  description        = "What the Auto Mode nodes of ${var.cluster.name} may do"
  assume_role_policy = local.trust_machines

  tags = local.tags
}

resource "aws_iam_role_policy_attachment" "auto_node" {
  for_each = toset(local.auto_node_policies)

  role       = aws_iam_role.auto_node.name
  policy_arn = "${local.managed_policies}/${each.key}"
}

resource "aws_iam_role" "node" {
  name               = var.cluster.node_role
  description        = "What the nodes of ${var.cluster.name} may do"
  assume_role_policy = local.trust_machines

  tags = local.tags
}

resource "aws_iam_role_policy_attachment" "node" {
  for_each = toset(local.node_policies)

  role       = aws_iam_role.node.name
  policy_arn = "${local.managed_policies}/${each.key}"
}

# Encrypted disks, and instance metadata that pods can't reach: they get their rights by Pod Identity.
resource "aws_launch_template" "group" {
  for_each = var.cluster.node_groups

  name                   = each.value.launch_template
  update_default_version = true

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = each.value.disk_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "network-interface", "volume"])

    content {
      resource_type = tag_specifications.value
      tags          = merge(var.tags, local.tags, { Name = each.value.name })
    }
  }

  tags = local.tags
}

# Other machine types or subnets make another group. The new one stands before the old one is drained, so that workloads
# have somewhere to go; for that each needs a name of its own.
resource "aws_eks_node_group" "group" {
  for_each = var.cluster.node_groups

  cluster_name           = aws_eks_cluster.main.name
  node_group_name_prefix = "${each.value.name}-"
  node_role_arn          = aws_iam_role.node.arn
  subnet_ids             = var.subnet_ids
  version                = aws_eks_cluster.main.version
  ami_type               = each.value.ami_type
  capacity_type          = each.value.capacity_type
  instance_types         = each.value.instance_types
  labels                 = each.value.labels

  launch_template {
    id      = aws_launch_template.group[each.key].id
    version = aws_launch_template.group[each.key].latest_version
  }

  scaling_config {
    min_size     = each.value.min
    desired_size = each.value.desired
    max_size     = each.value.max
  }

  update_config {
    max_unavailable_percentage = 33
  }

  node_repair_config {
    enabled = true
  }

  dynamic "taint" {
    for_each = each.value.taints

    content {
      key    = taint.value.key
      value  = taint.value.value
      effect = taint.value.effect
    }
  }

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }

  # Nodes that join before the pod network is there never become ready.
  depends_on = [aws_eks_addon.before_nodes, aws_iam_role_policy_attachment.node]
}
