output "summary" {
  description = "What the platform shows."

  value = {
    endpoint          = aws_rds_cluster.main.endpoint
    reader_endpoint   = aws_rds_cluster.main.reader_endpoint
    port              = aws_rds_cluster.main.port
    database_name     = aws_rds_cluster.main.database_name
    username          = aws_rds_cluster.main.master_username
    master_secret_arn = one(aws_rds_cluster.main.master_user_secret[*].secret_arn)
    arn               = aws_rds_cluster.main.arn
  }
}
