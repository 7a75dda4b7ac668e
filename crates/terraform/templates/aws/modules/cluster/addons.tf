# Auto Mode brings all of this along, but for its own nodes alone: where there are managed nodes, they need the agents that
# run on each of them, name service, and a driver for their disks.

locals {
  has_managed_nodes = length(var.cluster.node_groups) > 0
  before_nodes      = local.has_managed_nodes ? ["eks-pod-identity-agent", "kube-proxy", "vpc-cni"] : []
  after_nodes       = local.has_managed_nodes ? ["aws-ebs-csi-driver", "coredns"] : []

  configuration = {
    vpc-cni = jsonencode({ enableNetworkPolicy = "true" })
  }
}

# The version that AWS recommends for this version of Kubernetes.
data "aws_eks_addon_version" "recommended" {
  for_each = toset(concat(local.before_nodes, local.after_nodes))

  addon_name         = each.key
  kubernetes_version = var.cluster.version
}

resource "aws_eks_addon" "before_nodes" {
  for_each = toset(local.before_nodes)

  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = each.key
  addon_version               = data.aws_eks_addon_version.recommended[each.key].version
  configuration_values        = lookup(local.configuration, each.key, null)
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  tags = local.tags
}

resource "aws_eks_addon" "after_nodes" {
  for_each = toset(local.after_nodes)

  cluster_name                = aws_eks_cluster.main.name
  addon_name                  = each.key
  addon_version               = data.aws_eks_addon_version.recommended[each.key].version
  resolve_conflicts_on_create = "OVERWRITE"
  resolve_conflicts_on_update = "OVERWRITE"

  dynamic "pod_identity_association" {
    for_each = each.key == "aws-ebs-csi-driver" ? aws_iam_role.volumes : []

    content {
      role_arn        = pod_identity_association.value.arn
      service_account = "ebs-csi-controller-sa"
    }
  }

  tags = local.tags

  # The role's rights go last, or volumes can't be detached when the cluster is removed.
  depends_on = [aws_eks_node_group.group, aws_iam_role_policy_attachment.volumes]
}

resource "aws_iam_role" "volumes" {
  count = contains(local.after_nodes, "aws-ebs-csi-driver") ? 1 : 0

  name        = var.cluster.volume_role
  description = "Lets the disk driver of ${var.cluster.name} make and attach disks"

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

resource "aws_iam_role_policy_attachment" "volumes" {
  count = length(aws_iam_role.volumes)

  role       = aws_iam_role.volumes[count.index].name
  policy_arn = "${local.managed_policies}/service-role/AmazonEBSCSIDriverPolicy"
}
