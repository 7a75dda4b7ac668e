resource "aws_eks_access_entry" "principal" {
  for_each = var.cluster.access

  cluster_name  = aws_eks_cluster.main.name
  principal_arn = each.key
  type          = "STANDARD"

  tags = local.tags
}

resource "aws_eks_access_policy_association" "policy" {
  for_each = var.cluster.access

  cluster_name  = aws_eks_cluster.main.name
  principal_arn = aws_eks_access_entry.principal[each.key].principal_arn
  policy_arn    = "arn:${var.account.partition}:eks::aws:cluster-access-policy/${each.value.policy}"

  access_scope {
    type       = length(each.value.namespaces) == 0 ? "cluster" : "namespace"
    namespaces = length(each.value.namespaces) == 0 ? null : each.value.namespaces
  }
}
