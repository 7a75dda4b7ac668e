//! The cloud itself: a folder with one JSON file for each resource, `TYPE/REGION.ID.json`.
//!
//! The provider plugin reads and writes it on every call, each a process of its own; the CLI lists it, shows it and
//! edits it, and an edit from outside is drift for Terraform. A write is a finished file or none: it is made beside
//! its place and renamed. Files are 0600 and folders 0700. Sensitive values are never in it, only a salted
//! SHA-256 mark of them.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub(crate) mod files;
pub(crate) mod made_up;
pub(crate) mod secrets;

/// The account that everything in the sandbox belongs to.
pub const ACCOUNT: &str = "123456789012";

/// A folder that is a cloud.
#[derive(Clone, Debug)]
pub struct Cloud {
    root: PathBuf,
}

/// One thing that exists in the cloud.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The Terraform type, such as `aws_vpc`.
    #[serde(rename = "type")]
    pub kind: String,
    pub id: String,
    /// The name that people know it by; the id where it has none.
    pub name: String,
    pub region: String,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    /// Every attribute of the type's schema; sensitive and write-only ones are null.
    pub attributes: Json,
    /// A salted mark for each sensitive value that was set, by attribute path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
pub enum CloudError {
    #[error("sandbox cloud cannot be used at {path}")]
    Io { path: PathBuf, source: io::Error },
    #[error("sandbox cloud holds a damaged file {path}")]
    Damaged { path: PathBuf, source: serde_json::Error },
    #[error("sandbox cloud has no {kind} {id:?}")]
    NotFound { kind: String, id: String },
    #[error("sandbox cloud already has a {kind} {id:?}")]
    Exists { kind: String, id: String },
    #[error("{0:?} is not a resource type such as aws_vpc")]
    NotAType(String),
    #[error("{kind} has no attribute at {pointer:?}; a pointer looks like /tags/Name")]
    NoAttribute { kind: String, pointer: String },
    #[error(
        "attributes of {kind} must be a JSON object with the keys that it has now; {key:?} is not one of them"
    )]
    NotAttributes { kind: String, key: String },
}

impl Cloud {
    /// Opens the cloud in the folder `root`, which is made when it does not exist.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, CloudError> {
        let root = root.into();
        files::make_folder(&root)?;
        Ok(Self { root })
    }

    /// The folder of the cloud.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Everything that exists, by type, then by name.
    pub fn list(&self) -> Result<Vec<Resource>, CloudError> {
        let mut resources = Vec::new();
        for folder in files::entries(&self.root)? {
            let kind = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if folder.is_dir() && is_type(kind) {
                resources.extend(self.of_type(kind)?);
            }
        }
        resources.sort_by(|a, b| (&a.kind, &a.name, &a.id).cmp(&(&b.kind, &b.name, &b.id)));
        Ok(resources)
    }

    /// Everything of one type.
    pub fn of_type(&self, kind: &str) -> Result<Vec<Resource>, CloudError> {
        let files = files::entries(&self.folder(kind)?)?.into_iter();
        let documents = files.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        documents.filter_map(|path| files::read(&path).transpose()).collect()
    }

    /// The resource of a type that `id` means: its id, or else its name or ARN.
    pub fn show(&self, kind: &str, id: &str) -> Result<Resource, CloudError> {
        let resources = self.of_type(kind)?;
        let by_id = resources.iter().find(|resource| resource.id == id);
        let named =
            || resources.iter().find(|resource| resource.name == id || resource.attributes["arn"] == id);
        let not_found = || CloudError::NotFound { kind: kind.to_owned(), id: id.to_owned() };
        by_id.or_else(named).cloned().ok_or_else(not_found)
    }

    /// Sets one attribute from outside, as somebody at the cloud's own console would: Terraform sees drift.
    ///
    /// `pointer` is a JSON pointer into the attributes (`/tags/Name`). The last step may add a key to a map; all
    /// others must exist.
    pub fn edit(
        &self,
        kind: &str,
        id: &str,
        pointer: &str,
        value: Json,
        now: DateTime<Utc>,
    ) -> Result<Resource, CloudError> {
        let mut resource = self.show(kind, id)?;
        let place = edit_place(&mut resource.attributes, pointer);
        let missing = || CloudError::NoAttribute { kind: kind.to_owned(), pointer: pointer.to_owned() };
        *place.ok_or_else(missing)? = value;
        self.touch(resource, now)
    }

    /// Replaces all attributes from outside. The keys must be those that the resource has.
    pub fn replace(
        &self,
        kind: &str,
        id: &str,
        attributes: Json,
        now: DateTime<Utc>,
    ) -> Result<Resource, CloudError> {
        let mut resource = self.show(kind, id)?;
        if let Some(key) = foreign_key(&attributes, &resource.attributes) {
            return Err(CloudError::NotAttributes { kind: kind.to_owned(), key });
        }
        resource.attributes = attributes;
        self.touch(resource, now)
    }

    /// Removes a resource from outside: Terraform plans to create it again.
    pub fn remove(&self, kind: &str, id: &str) -> Result<Resource, CloudError> {
        let resource = self.show(kind, id)?;
        self.delete(kind, &resource.key())?;
        Ok(resource)
    }

    /// Stores a new resource. Fails when its key is taken.
    pub(crate) fn create(&self, resource: &Resource) -> Result<(), CloudError> {
        let path = self.path(&resource.kind, &resource.key())?;
        let exists = || CloudError::Exists { kind: resource.kind.clone(), id: resource.id.clone() };
        if files::create(&path, resource)? { Ok(()) } else { Err(exists()) }
    }

    /// Stores a resource over what the key held.
    pub(crate) fn update(&self, key: &str, resource: &Resource) -> Result<(), CloudError> {
        files::write(&self.path(&resource.kind, key)?, resource)
    }

    pub(crate) fn read(&self, kind: &str, key: &str) -> Result<Option<Resource>, CloudError> {
        files::read(&self.path(kind, key)?)
    }

    /// Deletes what the key holds; nothing there is fine, as it is with a real cloud.
    pub(crate) fn delete(&self, kind: &str, key: &str) -> Result<(), CloudError> {
        files::remove(&self.path(kind, key)?)
    }

    fn touch(&self, mut resource: Resource, now: DateTime<Utc>) -> Result<Resource, CloudError> {
        resource.updated = now;
        self.update(&resource.key(), &resource)?;
        Ok(resource)
    }

    fn folder(&self, kind: &str) -> Result<PathBuf, CloudError> {
        if is_type(kind) { Ok(self.root.join(kind)) } else { Err(CloudError::NotAType(kind.to_owned())) }
    }

    fn path(&self, kind: &str, key: &str) -> Result<PathBuf, CloudError> {
        Ok(self.folder(kind)?.join(format!("{key}.json")))
    }
}

impl Resource {
    /// The name of the resource's file: unique in its type, and safe as a file name.
    pub(crate) fn key(&self) -> String {
        files::safe_name(&format!("{}.{}", self.region, self.id))
    }
}

fn is_type(kind: &str) -> bool {
    kind.contains('_')
        && kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn edit_place<'a>(attributes: &'a mut Json, pointer: &str) -> Option<&'a mut Json> {
    let (parent, last) = pointer.rsplit_once('/')?;
    let at_top = parent.is_empty();
    match attributes.pointer_mut(parent)? {
        Json::Object(entries) if at_top && !entries.contains_key(last) => None,
        Json::Object(entries) => {
            Some(entries.entry(last.replace("~1", "/").replace("~0", "~")).or_insert(Json::Null))
        }
        Json::Array(items) => items.get_mut(last.parse::<usize>().ok()?),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

fn foreign_key(attributes: &Json, known: &Json) -> Option<String> {
    match attributes.as_object() {
        Some(entries) => entries.keys().find(|key| known.get(key.as_str()).is_none()).cloned(),
        None => Some(attributes.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn vpc(id: &str) -> Resource {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        Resource {
            kind: "aws_vpc".to_owned(),
            id: id.to_owned(),
            name: "main".to_owned(),
            region: "eu-west-1".to_owned(),
            created: now,
            updated: now,
            attributes: json!({ "id": id, "arn": "arn:aws:ec2:vpc", "tags": { "Name": "main" } }),
            secrets: BTreeMap::new(),
        }
    }

    fn cloud() -> (tempfile::TempDir, Cloud) {
        let folder = tempfile::tempdir().unwrap();
        let cloud = Cloud::open(folder.path().join("cloud")).unwrap();
        (folder, cloud)
    }

    #[test]
    fn a_resource_is_found_by_id_name_and_arn() {
        let (_folder, cloud) = cloud();
        cloud.create(&vpc("vpc-1")).unwrap();
        for id in ["vpc-1", "main", "arn:aws:ec2:vpc"] {
            assert_eq!(cloud.show("aws_vpc", id).unwrap(), vpc("vpc-1"));
        }
        assert!(matches!(cloud.show("aws_vpc", "vpc-2"), Err(CloudError::NotFound { .. })));
    }

    #[test]
    fn a_second_resource_with_the_same_id_is_refused() {
        let (_folder, cloud) = cloud();
        cloud.create(&vpc("vpc-1")).unwrap();
        assert!(matches!(cloud.create(&vpc("vpc-1")), Err(CloudError::Exists { .. })));
    }

    #[test]
    fn an_edit_changes_one_attribute_and_nothing_unknown() {
        let (_folder, cloud) = cloud();
        let resource = vpc("vpc-1");
        cloud.create(&resource).unwrap();
        let edited = cloud.edit("aws_vpc", "main", "/tags/Team", json!("shop"), resource.created).unwrap();
        assert_eq!(edited.attributes["tags"], json!({ "Name": "main", "Team": "shop" }));
        let unknown = cloud.edit("aws_vpc", "main", "/colour", json!("red"), resource.created);
        assert!(matches!(unknown, Err(CloudError::NoAttribute { .. })));
        let foreign = cloud.replace("aws_vpc", "main", json!({ "colour": 1 }), resource.created);
        assert!(matches!(foreign, Err(CloudError::NotAttributes { .. })));
    }

    #[test]
    fn a_removed_resource_is_gone_from_the_list() {
        let (_folder, cloud) = cloud();
        cloud.create(&vpc("vpc-1")).unwrap();
        assert_eq!(cloud.list().unwrap().len(), 1);
        cloud.remove("aws_vpc", "vpc-1").unwrap();
        assert_eq!(cloud.list().unwrap(), []);
    }

    #[test]
    fn a_type_cannot_leave_the_folder() {
        let (_folder, cloud) = cloud();
        assert!(matches!(cloud.of_type("../aws_vpc"), Err(CloudError::NotAType(_))));
    }
}
