output "summary" {
  description = "What the platform shows."

  value = {
    parameters  = { for name, parameter in aws_ssm_parameter.repository : name => parameter.name }
    reader_role = one(aws_iam_role.reader[*].arn)
  }
}
