output "summary" {
  description = "What the platform shows."

  value = {
    name              = aws_eks_cluster.main.name
    arn               = aws_eks_cluster.main.arn
    endpoint          = aws_eks_cluster.main.endpoint
    version           = aws_eks_cluster.main.version
    security_group_id = one(aws_eks_cluster.main.vpc_config[*].cluster_security_group_id)
    oidc_issuer       = try(aws_eks_cluster.main.identity[0].oidc[0].issuer, null)
    node_groups       = [for group in aws_eks_node_group.group : group.node_group_name]
  }
}

output "name" {
  description = "Name of the cluster."
  value       = aws_eks_cluster.main.name
}
