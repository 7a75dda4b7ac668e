//! `cargo xtask schemas DIR`: writes the provider schemas that the sandbox cloud carries.
//!
//! DIR holds `aws.json` and `random.json` (or `.json.gz`) in the shape of `terraform providers schema -json`.
//! Only the types that `crates/sandbox/schemas/NAME.types` lists are kept (no list: all of them), the hand-kept
//! types of `NAME.hand.json` are added, and `NAME.bin` is written. The same input gives the same bytes.
//!
//! What no schema says (sensitive attributes, replacement, made-up values) is not baked in: the sandbox reads
//! its hand-kept tables at run time.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use flate2::{Compression, read::GzDecoder, write::DeflateEncoder};
use prost::Message;
use serde_json::{Map, Value};

use format::{Attribute, Block, Entry, Index, Kind, NestedBlock, Nesting, Schema};

#[path = "../../crates/sandbox/src/format.rs"]
mod format;

const PROVIDERS: [&str; 2] = ["aws", "random"];

/// Rewrites `crates/sandbox/schemas/*.bin` from the full schemas in the folder `source`.
pub(crate) fn run(source: &Path) -> Result<()> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/sandbox/schemas");
    for provider in PROVIDERS {
        let types = collect(provider, source, &target)?;
        let bytes = pack(&types)?;
        let path = target.join(format!("{provider}.bin"));
        fs::write(&path, &bytes).with_context(|| format!("failed to write {}", path.display()))?;
        println!("{provider}: {} types, {} KiB", types.len(), bytes.len() / 1024);
    }
    Ok(())
}

type Types = BTreeMap<(Kind, String), Schema>;

fn collect(provider: &str, source: &Path, target: &Path) -> Result<Types> {
    let full = provider_schema(&read_json(source, provider)?)?;
    let wanted = wanted_types(&target.join(format!("{provider}.types")))?;
    let hand = hand_kept(&target.join(format!("{provider}.hand.json")))?;
    let mut types = Types::new();
    for ((kind, name), value) in full.into_iter().chain(hand) {
        let listed = wanted.as_ref().is_none_or(|list| list.contains(&(kind, name.clone())));
        if listed || kind == Kind::Provider {
            let schema = schema(&value).with_context(|| format!("in the schema of {name}"))?;
            types.insert((kind, name), schema);
        }
    }
    if let Some(missing) = wanted.iter().flatten().find(|key| !types.contains_key(key)) {
        bail!("{provider}.types lists {}, which no schema describes", missing.1);
    }
    Ok(types)
}

fn read_json(source: &Path, provider: &str) -> Result<Value> {
    let plain = source.join(format!("{provider}.json"));
    let packed = source.join(format!("{provider}.json.gz"));
    let bytes = if plain.exists() {
        fs::read(&plain)?
    } else {
        let file = fs::File::open(&packed)
            .with_context(|| format!("neither {} nor {} can be read", plain.display(), packed.display()))?;
        let mut bytes = Vec::new();
        GzDecoder::new(file).read_to_end(&mut bytes)?;
        bytes
    };
    serde_json::from_slice(&bytes).with_context(|| format!("the schema of {provider} is not JSON"))
}

/// The one provider of a `terraform providers schema -json` document, by kind and type name.
fn provider_schema(document: &Value) -> Result<BTreeMap<(Kind, String), Value>> {
    let provider = document["provider_schemas"]
        .as_object()
        .and_then(|providers| providers.values().next())
        .context("the document has no provider_schemas")?;
    let mut types = BTreeMap::from([((Kind::Provider, String::new()), provider["provider"].clone())]);
    let kinds = [
        (Kind::Resource, "resource_schemas"),
        (Kind::Data, "data_source_schemas"),
        (Kind::Ephemeral, "ephemeral_resource_schemas"),
    ];
    for (kind, key) in kinds {
        for (name, schema) in provider[key].as_object().into_iter().flatten() {
            types.insert((kind, name.clone()), schema.clone());
        }
    }
    Ok(types)
}

fn wanted_types(path: &PathBuf) -> Result<Option<Vec<(Kind, String)>>> {
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(path)?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| wanted_type(line).with_context(|| format!("in {}", path.display())))
        .collect::<Result<_>>()
        .map(Some)
}

fn wanted_type(line: &str) -> Result<(Kind, String)> {
    let (kind, name) = line.split_once(' ').with_context(|| format!("{line:?} is not `kind name`"))?;
    let kind = match kind {
        "resource" => Kind::Resource,
        "data" => Kind::Data,
        "ephemeral" => Kind::Ephemeral,
        other => bail!("{other:?} is not one of resource, data, ephemeral"),
    };
    Ok((kind, name.to_owned()))
}

/// Types written by hand. A block may `include` named fragments, so that a deeply nested type stays short.
fn hand_kept(path: &PathBuf) -> Result<BTreeMap<(Kind, String), Value>> {
    let mut types = BTreeMap::new();
    if !path.exists() {
        return Ok(types);
    }
    let document: Value = serde_json::from_slice(&fs::read(path)?)
        .with_context(|| format!("{} is not JSON", path.display()))?;
    let fragments = document["fragments"].as_object().cloned().unwrap_or_default();
    for (name, block) in document["resources"].as_object().into_iter().flatten() {
        let block =
            expand(block, &fragments).with_context(|| format!("in {} of {}", name, path.display()))?;
        types.insert((Kind::Resource, name.clone()), serde_json::json!({ "version": 0, "block": block }));
    }
    Ok(types)
}

/// Replaces every `include` of a block by the attributes and blocks of the fragments that it names.
fn expand(block: &Value, fragments: &Map<String, Value>) -> Result<Value> {
    let mut attributes = block["attributes"].as_object().cloned().unwrap_or_default();
    let mut blocks = Map::new();
    for (name, nested) in block["block_types"].as_object().into_iter().flatten() {
        let mut nested = nested.clone();
        nested["block"] = expand(&nested["block"], fragments)?;
        blocks.insert(name.clone(), nested);
    }
    for name in block["include"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let fragment = fragments.get(name).with_context(|| format!("no fragment is called {name:?}"))?;
        let fragment = expand(fragment, fragments)?;
        attributes.extend(fragment["attributes"].as_object().cloned().unwrap_or_default());
        blocks.extend(fragment["block_types"].as_object().cloned().unwrap_or_default());
    }
    Ok(serde_json::json!({ "attributes": attributes, "block_types": blocks }))
}

fn schema(value: &Value) -> Result<Schema> {
    Ok(Schema { version: value["version"].as_i64().unwrap_or(0), block: Some(block(&value["block"])?) })
}

fn block(value: &Value) -> Result<Block> {
    let attributes = sorted(&value["attributes"]).into_iter().map(|(name, value)| attribute(name, value));
    let block_types = sorted(&value["block_types"])
        .into_iter()
        .map(|(name, value)| nested_block(name, value).with_context(|| format!("in block {name}")));
    Ok(Block {
        version: 0,
        attributes: attributes.collect(),
        block_types: block_types.collect::<Result<_>>()?,
    })
}

fn sorted(value: &Value) -> BTreeMap<&String, &Value> {
    value.as_object().into_iter().flatten().collect()
}

fn attribute(name: &str, value: &Value) -> Attribute {
    let flag = |key: &str| value[key].as_bool().unwrap_or(false);
    Attribute {
        name: name.to_owned(),
        value_type: value["type"].to_string().into_bytes(),
        required: flag("required"),
        optional: flag("optional"),
        computed: flag("computed"),
        sensitive: false,
        write_only: flag("write_only"),
    }
}

fn nested_block(name: &str, value: &Value) -> Result<NestedBlock> {
    let nesting = match value["nesting_mode"].as_str() {
        Some("single") => Nesting::Single,
        Some("list") => Nesting::List,
        Some("set") => Nesting::Set,
        Some("map") => Nesting::Map,
        other => bail!("nesting mode {other:?} is not known"),
    };
    let limits = matches!(nesting, Nesting::List | Nesting::Set);
    let limit = |key: &str| if limits { value[key].as_i64().unwrap_or(0) } else { 0 };
    Ok(NestedBlock {
        type_name: name.to_owned(),
        block: Some(block(&value["block"])?),
        nesting: nesting as i32,
        min_items: limit("min_items"),
        max_items: limit("max_items"),
    })
}

fn pack(types: &Types) -> Result<Vec<u8>> {
    let mut index = Index::default();
    let mut blobs = Vec::new();
    for ((kind, name), schema) in types {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&schema.encode_to_vec())?;
        let blob = encoder.finish()?;
        let (offset, length) = (u32::try_from(blobs.len())?, u32::try_from(blob.len())?);
        index.entries.push(Entry { kind: *kind as i32, name: name.clone(), offset, length });
        blobs.extend(blob);
    }
    let index = index.encode_to_vec();
    let mut file = u32::try_from(index.len())?.to_le_bytes().to_vec();
    file.extend(index);
    file.extend(blobs);
    Ok(file)
}
