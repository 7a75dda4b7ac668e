variable "topic" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name         = string
    ordered      = bool
    display_name = optional(string)
    subscriptions = map(object({
      protocol = string
      endpoint = string
      filter   = optional(string)
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

variable "queue_arns" {
  description = "ARNs of the Spec's queues by name."
  type        = map(string)
}
