variable "network" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name                    = string
    cidr                    = string
    private_subnets         = list(string)
    public_subnets          = list(string)
    database_subnets        = list(string)
    nat                     = string
    endpoint_security_group = string
    interface_endpoints     = list(string)
    flow_logs = optional(object({
      log_group      = string
      role           = string
      retention_days = number
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
