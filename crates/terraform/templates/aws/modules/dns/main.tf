locals {
  tags         = { component = var.component }
  certificates = var.dns.certificate == null ? [] : [var.dns.certificate]
  zone_id      = var.dns.create_zone ? aws_route53_zone.main[0].zone_id : data.aws_route53_zone.existing[0].zone_id
}

resource "aws_route53_zone" "main" {
  count = var.dns.create_zone ? 1 : 0

  name = var.dns.domain

  tags = local.tags
}

data "aws_route53_zone" "existing" {
  count = var.dns.create_zone ? 0 : 1

  zone_id = var.dns.existing_zone_id
}

resource "aws_acm_certificate" "main" {
  count = length(local.certificates)

  domain_name               = var.dns.domain
  subject_alternative_names = local.certificates[count.index].wildcard ? ["*.${var.dns.domain}"] : null
  validation_method         = "DNS"

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

# The domain and its wildcard are proved by one and the same record.
resource "aws_route53_record" "validation" {
  count = length(local.certificates)

  zone_id         = local.zone_id
  name            = tolist(aws_acm_certificate.main[count.index].domain_validation_options)[0].resource_record_name
  type            = tolist(aws_acm_certificate.main[count.index].domain_validation_options)[0].resource_record_type
  records         = [tolist(aws_acm_certificate.main[count.index].domain_validation_options)[0].resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

# Waits for the proof, but only where it can come at once: a new zone is not found by anyone before the domain's owner
# has entered its name servers, and the certificate is issued by itself then.
resource "aws_acm_certificate_validation" "main" {
  count = var.dns.create_zone ? 0 : length(local.certificates)

  certificate_arn         = aws_acm_certificate.main[count.index].arn
  validation_record_fqdns = [aws_route53_record.validation[count.index].fqdn]
}
