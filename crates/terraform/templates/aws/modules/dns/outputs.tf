output "summary" {
  description = "What the platform shows."

  value = {
    domain          = var.dns.domain
    zone_id         = local.zone_id
    name_servers    = var.dns.create_zone ? aws_route53_zone.main[0].name_servers : data.aws_route53_zone.existing[0].name_servers
    certificate_arn = one(aws_acm_certificate.main[*].arn)
    firewall_arn    = one(aws_wafv2_web_acl.main[*].arn)
  }
}
