variable "secret" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name            = string
    description     = optional(string)
    recovery_days   = number
    replica_regions = list(string)
    generate = optional(object({
      length             = number
      special_characters = bool
      rotation           = number
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
