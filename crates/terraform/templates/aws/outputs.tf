output "components" {
  description = "What each component gives out, by kind and name. Never a secret: at most where one is kept."

  value = {
    network            = { for network in module.network : "network" => network.summary }
    cluster            = { for cluster in module.cluster : "cluster" => cluster.summary }
    dns                = { for dns in module.dns : "dns" => dns.summary }
    repositories       = { for repositories in module.repositories : "repositories" => repositories.summary }
    database           = { for name, database in module.database : name => database.summary }
    cache              = { for name, cache in module.cache : name => cache.summary }
    queue              = { for name, queue in module.queue : name => queue.summary }
    topic              = { for name, topic in module.topic : name => topic.summary }
    nosql_table        = { for name, table in module.nosql_table : name => table.summary }
    container_registry = { for name, registry in module.container_registry : name => registry.summary }
    secret             = { for name, secret in module.secret : name => secret.summary }
  }
}
