variable "queue" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name                       = string
    ordered                    = bool
    high_throughput            = bool
    visibility_timeout_seconds = number
    retention_seconds          = number
    delay_seconds              = number
    max_message_bytes          = number
    topics                     = list(string)
    dead_letter = optional(object({
      name              = string
      max_receives      = number
      retention_seconds = number
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
