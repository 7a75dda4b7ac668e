variable "cluster" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name                = string
    role                = string
    node_role           = string
    auto_node_role      = string
    volume_role         = string
    key_alias           = string
    log_group           = string
    version             = string
    support_type        = string
    service_cidr        = string
    public_endpoint     = bool
    allowed_cidrs       = list(string)
    logs                = list(string)
    log_retention_days  = number
    deletion_protection = bool
    auto_mode           = bool
    access = map(object({
      policy     = string
      namespaces = list(string)
    }))
    node_groups = map(object({
      name            = string
      launch_template = string
      instance_types  = list(string)
      ami_type        = string
      capacity_type   = string
      min             = number
      desired         = number
      max             = number
      disk_gib        = number
      labels          = map(string)
      taints = list(object({
        key    = string
        value  = string
        effect = string
      }))
    }))
  })
}

variable "component" {
  description = "The component as the platform names it; every resource carries it as a tag."
  type        = string
}

variable "account" {
  description = "Account, partition and region that everything is made in."
  type = object({
    id        = string
    partition = string
    region    = string
  })
}

variable "tags" {
  description = "Tags of nodes and their disks, which the tags of the provider do not reach."
  type        = map(string)
}

variable "subnet_ids" {
  description = "Subnets that it lives in, each in another zone."
  type        = list(string)
}
