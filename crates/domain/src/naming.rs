//! One function for the name of everything in the cloud: readable beginning, stage, short hash of the Spec's id.
//!
//! `shop-orders-prod-3f9a1c` is the database `orders` of the production Spec `shop`. Two Specs never share a name, also
//! when they have the same words, because the hash is that of the id. A name never outgrows the budget of its
//! resource type: the readable part is shortened, and the hash then covers what was cut, so that two long names
//! stay two. The templates get finished names and never make one of their own.

use sha2::{Digest, Sha256};

use crate::{ids::SpecId, stage::Stage};

const HASH_LENGTH: usize = 6;

/// A type of resource that has a name, with the length and the endings that its cloud allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceName {
    /// Network, by its `Name` tag.
    Vpc,
    /// Subnet, by its `Name` tag.
    Subnet,
    /// Security group.
    SecurityGroup,
    /// Kubernetes cluster.
    EksCluster,
    /// Managed node group; its name goes on with a hyphen and 26 characters that the provider makes up.
    NodeGroup,
    /// Launch template.
    LaunchTemplate,
    /// IAM role.
    IamRole,
    /// IAM policy.
    IamPolicy,
    /// Log group.
    LogGroup,
    /// Alias of a key, without `alias/`.
    KmsAlias,
    /// Aurora cluster.
    RdsCluster,
    /// Aurora instance.
    RdsInstance,
    /// Subnet group of a database.
    DbSubnetGroup,
    /// Parameter group of a database.
    DbParameterGroup,
    /// Last snapshot of a database.
    DbFinalSnapshot,
    /// Cache with its replicas.
    ReplicationGroup,
    /// Subnet group of a cache.
    CacheSubnetGroup,
    /// Parameter group of a cache.
    CacheParameterGroup,
    /// User of a cache.
    CacheUser,
    /// Users of a cache.
    CacheUserGroup,
    /// Queue.
    SqsQueue,
    /// Ordered queue; ends with `.fifo`.
    SqsFifoQueue,
    /// Topic.
    SnsTopic,
    /// Ordered topic; ends with `.fifo`.
    SnsFifoTopic,
    /// Key-value table.
    DynamoDbTable,
    /// Registry for container images.
    EcrRepository,
    /// Secret.
    SecretsManagerSecret,
    /// Web application firewall.
    WafWebAcl,
}

/// Makes the names of one Spec's resources.
#[derive(Clone, Debug)]
pub struct Naming {
    name: String,
    stage: Stage,
    spec: SpecId,
}

impl ResourceName {
    /// Every type.
    pub const ALL: [Self; 28] = [
        Self::Vpc,
        Self::Subnet,
        Self::SecurityGroup,
        Self::EksCluster,
        Self::NodeGroup,
        Self::LaunchTemplate,
        Self::IamRole,
        Self::IamPolicy,
        Self::LogGroup,
        Self::KmsAlias,
        Self::RdsCluster,
        Self::RdsInstance,
        Self::DbSubnetGroup,
        Self::DbParameterGroup,
        Self::DbFinalSnapshot,
        Self::ReplicationGroup,
        Self::CacheSubnetGroup,
        Self::CacheParameterGroup,
        Self::CacheUser,
        Self::CacheUserGroup,
        Self::SqsQueue,
        Self::SqsFifoQueue,
        Self::SnsTopic,
        Self::SnsFifoTopic,
        Self::DynamoDbTable,
        Self::EcrRepository,
        Self::SecretsManagerSecret,
        Self::WafWebAcl,
    ];

    /// The most characters that the cloud allows, the ending included.
    pub const fn budget(self) -> usize {
        match self {
            Self::ReplicationGroup | Self::CacheUser | Self::CacheUserGroup => 40,
            Self::NodeGroup => 36,
            Self::RdsCluster | Self::RdsInstance => 63,
            Self::IamRole => 64,
            Self::SqsQueue | Self::SqsFifoQueue => 80,
            Self::EksCluster => 100,
            Self::LaunchTemplate => 125,
            Self::IamPolicy | Self::WafWebAcl => 128,
            Self::KmsAlias => 250,
            Self::Vpc
            | Self::Subnet
            | Self::SecurityGroup
            | Self::DbSubnetGroup
            | Self::DbParameterGroup
            | Self::DbFinalSnapshot
            | Self::CacheSubnetGroup
            | Self::CacheParameterGroup
            | Self::DynamoDbTable => 255,
            Self::SnsTopic | Self::SnsFifoTopic | Self::EcrRepository => 256,
            Self::LogGroup | Self::SecretsManagerSecret => 512,
        }
    }

    /// A name without the beginning that the cloud keeps for its own ids: a group that is named `sg-…` is refused.
    fn without_reserved_start(self, wanted: &str) -> &str {
        if self == Self::SecurityGroup { wanted.trim_start_matches("sg-") } else { wanted }
    }

    /// The ending that the cloud demands.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::SqsFifoQueue | Self::SnsFifoTopic => ".fifo",
            Self::Vpc
            | Self::Subnet
            | Self::SecurityGroup
            | Self::EksCluster
            | Self::NodeGroup
            | Self::LaunchTemplate
            | Self::IamRole
            | Self::IamPolicy
            | Self::LogGroup
            | Self::KmsAlias
            | Self::RdsCluster
            | Self::RdsInstance
            | Self::DbSubnetGroup
            | Self::DbParameterGroup
            | Self::DbFinalSnapshot
            | Self::ReplicationGroup
            | Self::CacheSubnetGroup
            | Self::CacheParameterGroup
            | Self::CacheUser
            | Self::CacheUserGroup
            | Self::SqsQueue
            | Self::SnsTopic
            | Self::DynamoDbTable
            | Self::EcrRepository
            | Self::SecretsManagerSecret
            | Self::WafWebAcl => "",
        }
    }
}

impl Naming {
    /// For the Spec of that name, stage and id.
    pub fn new(name: &str, stage: Stage, spec: SpecId) -> Self {
        Self { name: name.to_owned(), stage, spec }
    }

    /// The name of a resource; `part` tells it from others of its type in the Spec.
    ///
    /// It consists of lower-case letters, digits and single hyphens, begins with a letter when the Spec's name does,
    /// and is never longer than the type's budget.
    pub fn resource(&self, kind: ResourceName, part: Option<&str>) -> String {
        let wanted = match part {
            Some(part) => format!("{}-{part}", self.name),
            None => self.name.clone(),
        };
        let fixed = self.stage.short().len() + HASH_LENGTH + 2 + kind.ending().len();
        let readable = readable(kind.without_reserved_start(&wanted), kind.budget() - fixed);
        let hash = if readable == wanted { self.hash("") } else { self.hash(&wanted) };
        format!("{readable}-{}-{hash}{}", self.stage.short(), kind.ending())
    }

    fn hash(&self, of: &str) -> String {
        let digest = Sha256::new().chain_update(self.spec.0.as_bytes()).chain_update(of).finalize();
        digest.iter().take(HASH_LENGTH / 2).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// At most so many of the characters that every resource type allows, without hyphens at the ends or in pairs.
fn readable(wanted: &str, most: usize) -> String {
    let mut text = String::with_capacity(most);
    for character in wanted.chars() {
        let allowed = character.is_ascii_lowercase() || character.is_ascii_digit();
        let next = if allowed { character } else { '-' };
        if text.len() < most && !(next == '-' && (text.is_empty() || text.ends_with('-'))) {
            text.push(next);
        }
    }
    text.truncate(text.trim_end_matches('-').len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naming(name: &str) -> Naming {
        Naming::new(name, Stage::Production, SpecId(uuid::Uuid::from_u128(7)))
    }

    #[test]
    fn a_name_is_readable_and_carries_stage_and_hash() {
        assert_eq!(
            naming("shop").resource(ResourceName::RdsCluster, Some("orders")),
            "shop-orders-prod-6bae42"
        );
        assert_eq!(naming("shop").resource(ResourceName::SqsFifoQueue, None), "shop-prod-6bae42.fifo");
    }

    /// A type of resource that leaves less than this to be read may not be added.
    const SHORTEST_READABLE: usize = 16;

    #[test]
    fn every_budget_leaves_a_readable_part() {
        for kind in ResourceName::ALL {
            let fixed = "-prod-".len() + HASH_LENGTH + kind.ending().len();
            assert!(kind.budget() - fixed >= SHORTEST_READABLE, "{kind:?}");
        }
    }

    #[test]
    fn long_names_fit_and_stay_apart() {
        let naming = naming("a-very-long-name-of-a-spec-with-forty-ch");
        for kind in ResourceName::ALL {
            let one = naming.resource(kind, Some("a-very-long-name-of-a-cache-with-forty-1"));
            let other = naming.resource(kind, Some("a-very-long-name-of-a-cache-with-forty-2"));
            assert!(one.len() <= kind.budget(), "{one}");
            assert_ne!(one, other);
        }
    }

    #[test]
    fn double_hyphens_are_made_single_without_meeting_another_name() {
        let one = naming("shop").resource(ResourceName::RdsCluster, Some("a--b"));
        let other = naming("shop").resource(ResourceName::RdsCluster, Some("a-b"));
        assert!(!one.contains("--"));
        assert_ne!(one, other);
    }

    #[test]
    fn a_security_group_is_never_named_like_its_id() {
        let one = naming("sg-sg-shop").resource(ResourceName::SecurityGroup, Some("endpoints"));
        assert!(one.starts_with("shop-endpoints-prod-"), "{one}");
        assert_ne!(one, naming("shop").resource(ResourceName::SecurityGroup, Some("endpoints")));
    }

    #[test]
    fn another_spec_has_other_names() {
        let other = Naming::new("shop", Stage::Production, SpecId(uuid::Uuid::from_u128(8)));
        assert_ne!(naming("shop").resource(ResourceName::Vpc, None), other.resource(ResourceName::Vpc, None));
    }
}
