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

variable "network" {
  description = "The private network; null when there is none."
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
  default = null
}

variable "cluster" {
  description = "The Kubernetes cluster; null when there is none."
  type = object({
    name                = string
    role                = string
    node_role           = string
    auto_node_role      = string
    volume_role         = string
    key_alias           = string
    log_group           = string
    version             = string
    support_type        = string
    service_cidr        = string
    public_endpoint     = bool
    allowed_cidrs       = list(string)
    logs                = list(string)
    log_retention_days  = number
    deletion_protection = bool
    auto_mode           = bool
    access = map(object({
      policy     = string
      namespaces = list(string)
    }))
    node_groups = map(object({
      name            = string
      launch_template = string
      instance_types  = list(string)
      ami_type        = string
      capacity_type   = string
      min             = number
      desired         = number
      max             = number
      disk_gib        = number
      labels          = map(string)
      taints = list(object({
        key    = string
        value  = string
        effect = string
      }))
    }))
  })
  default = null
}

variable "dns" {
  description = "The public DNS zone with its certificate and firewall; null when there is none."
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
  default = null
}

variable "repositories" {
  description = "The Git repositories that the cluster is deployed from; null when there are none."
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
  default = null
}

variable "databases" {
  description = "Relational databases by name."
  type = map(object({
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
  }))
  default  = {}
  nullable = false
}

variable "caches" {
  description = "Caches by name."
  type = map(object({
    name                    = string
    subnet_group            = string
    parameter_group         = string
    security_group          = string
    key_alias               = string
    engine                  = string
    engine_version          = string
    family                  = string
    node_type               = string
    nodes                   = number
    multi_zone              = bool
    snapshot_retention_days = number
    maintenance_window      = optional(string)
    users = optional(object({
      group       = string
      application = string
      default     = optional(string)
    }))
  }))
  default  = {}
  nullable = false
}

variable "queues" {
  description = "Queues by name."
  type = map(object({
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
  }))
  default  = {}
  nullable = false
}

variable "topics" {
  description = "Topics by name."
  type = map(object({
    name         = string
    ordered      = bool
    display_name = optional(string)
    subscriptions = map(object({
      protocol = string
      endpoint = string
      filter   = optional(string)
    }))
  }))
  default  = {}
  nullable = false
}

variable "nosql_tables" {
  description = "Key-value tables by name."
  type = map(object({
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
  }))
  default  = {}
  nullable = false
}

variable "container_registries" {
  description = "Registries for container images by name."
  type = map(object({
    name           = string
    immutable_tags = bool
    scan_on_push   = bool
    keep_images    = number
    force_delete   = bool
    pull_accounts  = list(string)
  }))
  default  = {}
  nullable = false
}

variable "secrets" {
  description = "Secrets by name. A value is never among the variables."
  type = map(object({
    name            = string
    description     = optional(string)
    recovery_days   = number
    replica_regions = list(string)
    generate = optional(object({
      length             = number
      special_characters = bool
      rotation           = number
    }))
  }))
  default  = {}
  nullable = false
}
