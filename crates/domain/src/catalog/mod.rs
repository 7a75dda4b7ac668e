//! What the clouds offer: regions, machines, versions. Data with a few look-ups; no prices are promised, no network used.

pub mod aws;
