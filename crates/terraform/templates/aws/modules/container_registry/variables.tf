variable "container_registry" {
  description = "What the Spec says about it, with names and sizes worked out."
  type = object({
    name           = string
    immutable_tags = bool
    scan_on_push   = bool
    keep_images    = number
    force_delete   = bool
    pull_accounts  = list(string)
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
