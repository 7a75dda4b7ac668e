variable "cache" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name                    = string
    subnet_group            = string
    parameter_group         = string
    security_group          = string
    key_alias               = string
    engine                  = string
    engine_version          = string
    family                  = string
    node_type               = string
    nodes                   = number
    multi_zone              = bool
    snapshot_retention_days = number
    maintenance_window      = optional(string)
    users = optional(object({
      group       = string
      application = string
      default     = optional(string)
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

variable "vpc_id" {
  description = "The network that it lives in."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets that it lives in, each in another zone."
  type        = list(string)
}

variable "allowed_cidrs" {
  description = "Ranges of the private subnets: the only ones that may connect."
  type        = list(string)
}
