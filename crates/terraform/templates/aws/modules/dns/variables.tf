variable "dns" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    domain           = string
    create_zone      = bool
    existing_zone_id = optional(string)
    certificate = optional(object({
      wildcard = bool
    }))
    waf = optional(object({
      name       = string
      log_group  = string
      block      = bool
      rate_limit = number
      attach_to  = list(string)
    }))
  })
}

variable "component" {
  description = "The component as the platform names it; every resource carries it as a tag."
  type        = string
}
