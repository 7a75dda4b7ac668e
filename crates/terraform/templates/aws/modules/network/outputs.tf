output "summary" {
  description = "What the platform shows."

  value = {
    vpc_id             = aws_vpc.main.id
    cidr               = aws_vpc.main.cidr_block
    availability_zones = aws_subnet.private[*].availability_zone
    private_subnets    = aws_subnet.private[*].id
    public_subnets     = aws_subnet.public[*].id
    database_subnets   = aws_subnet.database[*].id
    nat_addresses      = aws_eip.nat[*].public_ip
  }
}

output "vpc_id" {
  description = "The network."
  value       = aws_vpc.main.id
}

output "private_subnet_ids" {
  description = "Subnets of nodes, pods and caches; usable once their way out is there."
  value       = aws_subnet.private[*].id

  depends_on = [aws_route.nat, aws_route_table_association.private]
}

output "database_subnet_ids" {
  description = "Subnets of databases."
  value       = aws_subnet.database[*].id
}
