resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = var.network.name })
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = "${var.network.name} public" })
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table_association" "public" {
  count = local.zone_count

  route_table_id = aws_route_table.public.id
  subnet_id      = aws_subnet.public[count.index].id
}

resource "aws_eip" "nat" {
  count = local.nat_count

  domain = "vpc"

  tags = merge(local.tags, { Name = "${var.network.name} NAT ${count.index + 1}" })
}

resource "aws_nat_gateway" "main" {
  count = local.nat_count

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id

  tags = merge(local.tags, { Name = "${var.network.name} ${count.index + 1}" })

  # A gateway without a route to the internet does not start.
  depends_on = [aws_route.internet]
}

resource "aws_route_table" "private" {
  count = local.zone_count

  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = "${var.network.name} private ${count.index + 1}" })
}

resource "aws_route" "nat" {
  count = local.nat_count == 0 ? 0 : local.zone_count

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[min(count.index, local.nat_count - 1)].id
}

resource "aws_route_table_association" "private" {
  count = local.zone_count

  route_table_id = aws_route_table.private[count.index].id
  subnet_id      = aws_subnet.private[count.index].id
}

resource "aws_route_table" "database" {
  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = "${var.network.name} database" })
}

resource "aws_route_table_association" "database" {
  count = local.zone_count

  route_table_id = aws_route_table.database.id
  subnet_id      = aws_subnet.database[count.index].id
}
