variable "nosql_table" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name                   = string
    attributes             = map(string)
    partition_key          = string
    sort_key               = optional(string)
    capacity_mode          = string
    expiry_attribute       = optional(string)
    point_in_time_recovery = bool
    replicas               = list(string)
    deletion_protection    = bool
    table_class            = string
    stream                 = bool
    indexes = map(object({
      partition_key = string
      sort_key      = optional(string)
    }))
    provisioned = optional(object({
      read  = number
      write = number
    }))
  })
}

variable "component" {
  description = "The component as the platform names it; every resource carries it as a tag."
  type        = string
}
