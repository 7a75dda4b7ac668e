output "summary" {
  description = "What the platform shows."

  value = {
    endpoint        = aws_elasticache_replication_group.main.primary_endpoint_address
    reader_endpoint = aws_elasticache_replication_group.main.reader_endpoint_address
    port            = aws_elasticache_replication_group.main.port
    user            = one(aws_elasticache_user.application[*].user_name)
    arn             = aws_elasticache_replication_group.main.arn
  }
}
