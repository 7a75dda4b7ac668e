//! Regions with how many zones a new account may use.

/// A region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// AWS's name of it.
    pub code: &'static str,
    /// Where it is.
    pub place: &'static str,
    /// Availability zones that a new account may use, at most three counted.
    pub zones: u8,
}

const REGIONS: [Region; 34] = [
    at("us-east-1", "N. Virginia", 3),
    at("us-east-2", "Ohio", 3),
    at("us-west-1", "N. California", 2),
    at("us-west-2", "Oregon", 3),
    at("ca-central-1", "Canada Central", 3),
    at("ca-west-1", "Calgary", 3),
    at("mx-central-1", "Mexico", 3),
    at("sa-east-1", "São Paulo", 3),
    at("eu-west-1", "Ireland", 3),
    at("eu-west-2", "London", 3),
    at("eu-west-3", "Paris", 3),
    at("eu-central-1", "Frankfurt", 3),
    at("eu-central-2", "Zurich", 3),
    at("eu-north-1", "Stockholm", 3),
    at("eu-south-1", "Milan", 3),
    at("eu-south-2", "Spain", 3),
    at("ap-southeast-1", "Singapore", 3),
    at("ap-southeast-2", "Sydney", 3),
    at("ap-southeast-3", "Jakarta", 3),
    at("ap-southeast-4", "Melbourne", 3),
    at("ap-southeast-5", "Malaysia", 3),
    at("ap-southeast-7", "Thailand", 3),
    at("ap-northeast-1", "Tokyo", 3),
    at("ap-northeast-2", "Seoul", 3),
    at("ap-northeast-3", "Osaka", 3),
    at("ap-south-1", "Mumbai", 3),
    at("ap-south-2", "Hyderabad", 3),
    at("ap-east-1", "Hong Kong", 3),
    at("ap-east-2", "Taipei", 3),
    at("me-south-1", "Bahrain", 3),
    at("me-central-1", "UAE", 3),
    at("il-central-1", "Tel Aviv", 3),
    at("af-south-1", "Cape Town", 3),
    at("ap-southeast-6", "New Zealand", 3),
];

const fn at(code: &'static str, place: &'static str, zones: u8) -> Region {
    Region { code, place, zones }
}

/// Every region.
pub fn regions() -> &'static [Region] {
    &REGIONS
}

/// The region of that name.
pub fn region(code: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.code == code)
}
