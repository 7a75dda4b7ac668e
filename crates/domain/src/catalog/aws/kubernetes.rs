//! Kubernetes versions of EKS with the end of their support.

use chrono::NaiveDate;

/// A Kubernetes version that EKS offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KubernetesVersion {
    /// Major and minor.
    pub version: &'static str,
    /// Last day of standard support, as far as announced.
    pub standard_until: NaiveDate,
    /// Last day of extended support, at extra cost.
    pub extended_until: NaiveDate,
}

/// The version that new clusters get: the newest whose standard support lasts and which add-ons have caught up with.
pub const KUBERNETES_DEFAULT: &str = "1.35";

const VERSIONS: [KubernetesVersion; 7] = [
    until("1.30", (2025, 7, 23), (2026, 7, 23)),
    until("1.31", (2025, 11, 26), (2026, 11, 26)),
    until("1.32", (2026, 3, 23), (2027, 3, 23)),
    until("1.33", (2026, 7, 29), (2027, 7, 29)),
    until("1.34", (2026, 12, 2), (2027, 12, 2)),
    until("1.35", (2027, 3, 27), (2028, 3, 27)),
    until("1.36", (2027, 8, 2), (2028, 8, 2)),
];

const fn until(
    version: &'static str,
    standard: (i32, u32, u32),
    extended: (i32, u32, u32),
) -> KubernetesVersion {
    KubernetesVersion { version, standard_until: day(standard), extended_until: day(extended) }
}

const fn day((year, month, day): (i32, u32, u32)) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("the table holds real days")
}

/// Every version, oldest first.
pub fn kubernetes_versions() -> &'static [KubernetesVersion] {
    &VERSIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_a_version_and_versions_are_in_order() {
        assert!(VERSIONS.iter().any(|known| known.version == KUBERNETES_DEFAULT));
        assert!(VERSIONS.windows(2).all(|pair| pair[0].standard_until < pair[1].standard_until));
        assert!(VERSIONS.iter().all(|known| known.standard_until < known.extended_until));
    }
}
