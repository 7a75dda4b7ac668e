# Private subnets hold nodes, pods and caches and are large; public ones hold load balancers and NAT gateways; those for
# databases have no way out at all. AWS services S3 and DynamoDB are reached without NAT.

# Every zone that needs no opting in, but for the few in which AWS runs no Kubernetes control planes.
data "aws_availability_zones" "available" {
  state            = "available"
  exclude_zone_ids = ["cac1-az3", "use1-az3", "usw1-az2"]

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  tags       = { component = var.component }
  zone_count = length(var.network.private_subnets)
  zones      = slice(data.aws_availability_zones.available.names, 0, local.zone_count)
  nat_count  = { none = 0, single = 1, per_zone = local.zone_count }[var.network.nat]
}

# Remembers the range that the network was made with.
resource "terraform_data" "range" {
  input = var.network.cidr

  lifecycle {
    ignore_changes = [input]
  }
}

# Another range is another network, and what lives in this one can't move: AWS would refuse halfway, with the routes gone.
resource "aws_vpc" "main" {
  cidr_block           = var.network.cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = merge(local.tags, { Name = var.network.name })

  lifecycle {
    precondition {
      condition     = terraform_data.range.output == var.network.cidr
      error_message = "A network keeps its range ${terraform_data.range.output}. To change it, remove the network and all that lives in it, deploy, and add them again."
    }
  }
}

# Nothing may use the group that AWS puts things into when none is named.
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = "${var.network.name} default, closed" })
}

# The zone of a subnet stays what it was when it was made, also when AWS lists its zones in another order later. A subnet
# goes only after all that spreads over the subnets has left it.
resource "aws_subnet" "private" {
  count = local.zone_count

  vpc_id            = aws_vpc.main.id
  availability_zone = local.zones[count.index]
  cidr_block        = var.network.private_subnets[count.index]

  tags = merge(local.tags, {
    Name                              = "${var.network.name} private ${count.index + 1}"
    "kubernetes.io/role/internal-elb" = "1"
  })

  lifecycle {
    ignore_changes        = [availability_zone]
    create_before_destroy = true
  }
}

resource "aws_subnet" "public" {
  count = local.zone_count

  vpc_id            = aws_vpc.main.id
  availability_zone = local.zones[count.index]
  cidr_block        = var.network.public_subnets[count.index]

  tags = merge(local.tags, {
    Name                     = "${var.network.name} public ${count.index + 1}"
    "kubernetes.io/role/elb" = "1"
  })

  lifecycle {
    ignore_changes        = [availability_zone]
    create_before_destroy = true
  }
}

resource "aws_subnet" "database" {
  count = local.zone_count

  vpc_id            = aws_vpc.main.id
  availability_zone = local.zones[count.index]
  cidr_block        = var.network.database_subnets[count.index]

  tags = merge(local.tags, { Name = "${var.network.name} database ${count.index + 1}" })

  lifecycle {
    ignore_changes        = [availability_zone]
    create_before_destroy = true
  }
}
