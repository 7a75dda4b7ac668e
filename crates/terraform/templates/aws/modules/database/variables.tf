variable "database" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name                  = string
    instances             = list(string)
    subnet_group          = string
    parameter_group       = string
    security_group        = string
    final_snapshot        = optional(string)
    engine                = string
    engine_version        = string
    family                = string
    parameters            = map(string)
    log_groups            = map(string)
    database_name         = string
    username              = string
    port                  = number
    min_capacity          = number
    max_capacity          = number
    auto_pause_seconds    = optional(number)
    backup_retention_days = number
    backup_window         = string
    iam_auth              = bool
    deletion_protection   = bool
    performance_insights  = bool
    data_api              = bool
  })
}

variable "component" {
  description = "The component as the platform names it; every resource carries it as a tag."
  type        = string
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
