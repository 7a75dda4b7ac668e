//! The file format of `schemas/*.bin`, and the schema messages of Terraform's plugin protocol that it holds.
//!
//! A file is a little-endian `u32` (the length of the index), the [`Index`], then one deflated [`Schema`] message a type.
//! A type is stored in the form in which Terraform wants it on the wire, so a provider process can answer
//! `GetProviderSchema` by copying bytes, and understands only the types that it is asked to work on.
//!
//! `xtask schemas` includes this file by path to write what the crate reads: it must need nothing but `prost`.

/// Where every type of one provider lies in the file.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Index {
    #[prost(message, repeated, tag = "1")]
    pub(crate) entries: Vec<Entry>,
}

/// One type: its kind, its name, and its bytes counted from the end of the index.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Entry {
    #[prost(enumeration = "Kind", tag = "1")]
    pub(crate) kind: i32,
    #[prost(string, tag = "2")]
    pub(crate) name: String,
    #[prost(uint32, tag = "3")]
    pub(crate) offset: u32,
    #[prost(uint32, tag = "4")]
    pub(crate) length: u32,
}

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Kind {
    Provider = 0,
    Resource = 1,
    Data = 2,
    Ephemeral = 3,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Schema {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Block {
    #[prost(int64, tag = "1")]
    pub(crate) version: i64,
    #[prost(message, repeated, tag = "2")]
    pub(crate) attributes: Vec<Attribute>,
    #[prost(message, repeated, tag = "3")]
    pub(crate) block_types: Vec<NestedBlock>,
}

/// `value_type` is the attribute's type as Terraform's own JSON, such as `["list","string"]`.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Attribute {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value_type: Vec<u8>,
    #[prost(bool, tag = "4")]
    pub(crate) required: bool,
    #[prost(bool, tag = "5")]
    pub(crate) optional: bool,
    #[prost(bool, tag = "6")]
    pub(crate) computed: bool,
    #[prost(bool, tag = "7")]
    pub(crate) sensitive: bool,
    #[prost(bool, tag = "11")]
    pub(crate) write_only: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct NestedBlock {
    #[prost(string, tag = "1")]
    pub(crate) type_name: String,
    #[prost(message, optional, tag = "2")]
    pub(crate) block: Option<Block>,
    #[prost(enumeration = "Nesting", tag = "3")]
    pub(crate) nesting: i32,
    #[prost(int64, tag = "4")]
    pub(crate) min_items: i64,
    #[prost(int64, tag = "5")]
    pub(crate) max_items: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum Nesting {
    Invalid = 0,
    Single = 1,
    List = 2,
    Set = 3,
    Map = 4,
    Group = 5,
}
