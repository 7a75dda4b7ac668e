variable "repositories" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    parameter_prefix = string
    reader_role      = string
    entries = map(object({
      url        = string
      revision   = string
      path       = string
      credential = optional(string)
    }))
  })
}

variable "component" {
  description = "The component as the platform names it; every resource carries it as a tag."
  type        = string
}

variable "secret_arns" {
  description = "ARNs of the Spec's secrets by name."
  type        = map(string)
}

variable "cluster_name" {
  description = "The cluster that reads them."
  type        = string
}

variable "has_cluster" {
  description = "Whether there is a cluster; its name is known only after it was made."
  type        = bool
}
