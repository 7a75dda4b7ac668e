variable "region" {
  description = "Region that everything is made in."
  type        = string
}

variable "assume_role" {
  description = "Role that is taken on for the run; null to work with the credentials at hand."
  type = object({
    role_arn    = string
    external_id = optional(string)
  })
  default = null
}

variable "tags" {
  description = "Tags that every resource carries."
  type = object({
    zone  = string
    spec  = string
    stage = string
  })
}

# What the Spec says about its components. Which fields that has and of which types, each module says about its own.

variable "network" {
  description = "The private network; null when there is none."
  type        = any
  default     = null
}

variable "cluster" {
  description = "The Kubernetes cluster; null when there is none."
  type        = any
  default     = null
}

variable "dns" {
  description = "The public DNS zone with its certificate and firewall; null when there is none."
  type        = any
  default     = null
}

variable "repositories" {
  description = "The Git repositories that the cluster is deployed from; null when there are none."
  type        = any
  default     = null
}

variable "databases" {
  description = "Relational databases by name."
  type        = any
  default     = {}
  nullable    = false
}

variable "caches" {
  description = "Caches by name."
  type        = any
  default     = {}
  nullable    = false
}

variable "queues" {
  description = "Queues by name."
  type        = any
  default     = {}
  nullable    = false
}

variable "topics" {
  description = "Topics by name."
  type        = any
  default     = {}
  nullable    = false
}

variable "nosql_tables" {
  description = "Key-value tables by name."
  type        = any
  default     = {}
  nullable    = false
}

variable "container_registries" {
  description = "Registries for container images by name."
  type        = any
  default     = {}
  nullable    = false
}

variable "secrets" {
  description = "Secrets by name. A value is never among the variables."
  type        = any
  default     = {}
  nullable    = false
}
