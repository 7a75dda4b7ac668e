resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["s3", "dynamodb"])

  vpc_id            = aws_vpc.main.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.account.region}.${each.key}"
  route_table_ids   = concat(aws_route_table.private[*].id, [aws_route_table.database.id])

  tags = merge(local.tags, { Name = "${var.network.name} ${each.key}" })
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(var.network.interface_endpoints)

  vpc_id              = aws_vpc.main.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.account.region}.${each.key}"
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = aws_security_group.endpoints[*].id
  private_dns_enabled = true

  tags = merge(local.tags, { Name = "${var.network.name} ${each.key}" })
}

resource "aws_security_group" "endpoints" {
  count = length(var.network.interface_endpoints) == 0 ? 0 : 1

  name        = var.network.endpoint_security_group
  description = "AWS services through interface endpoints"
  vpc_id      = aws_vpc.main.id

  tags = merge(local.tags, { Name = var.network.endpoint_security_group })
}

resource "aws_vpc_security_group_ingress_rule" "endpoints" {
  count = length(var.network.interface_endpoints) == 0 ? 0 : 1

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the network"
  cidr_ipv4         = aws_vpc.main.cidr_block
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = local.tags
}
