//! What no provider schema says, kept by hand in `schemas/*.rules`: which attributes are sensitive, which changes
//! replace a resource, which blocks the cloud fills, which computed values a change makes new, and what refuses deletion.
//!
//! A line is `type rule name...`. The type `*` adds to every type; `default` stands for the types without a line of
//! that rule. A missing line makes a plan less true, never wrong for Terraform.

use std::collections::HashMap;

#[derive(Debug, Default)]
pub(crate) struct Rules {
    by_type: HashMap<&'static str, TypeRules>,
}

#[derive(Debug, Default)]
struct TypeRules {
    replace: Vec<&'static str>,
    sensitive: Vec<&'static str>,
    computed_blocks: Vec<&'static str>,
    renewed: Vec<&'static str>,
    derived: Vec<Vec<&'static str>>,
    unique: Vec<&'static str>,
    protecting: Vec<&'static str>,
}

impl Rules {
    /// Reads an embedded table. A line that is not understood is a broken build.
    pub(crate) fn parse(text: &'static str) -> Self {
        let mut rules = Self::default();
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.split_ascii_whitespace();
            let type_name = words.next().expect("a line that is not empty has a word");
            let rules = rules.by_type.entry(type_name).or_default();
            let rule = words.next();
            if rule == Some("derive") {
                rules.derived.push(words.collect());
                continue;
            }
            let list = match rule {
                Some("replace") => &mut rules.replace,
                Some("sensitive") => &mut rules.sensitive,
                Some("block") => &mut rules.computed_blocks,
                Some("renew") => &mut rules.renewed,
                Some("unique") => &mut rules.unique,
                Some("protect") => &mut rules.protecting,
                other => panic!("{other:?} is no rule, in {line:?}"),
            };
            list.extend(words);
        }
        rules
    }

    pub(crate) fn has_sensitive(&self, type_name: &str) -> bool {
        self.by_type.get(type_name).is_some_and(|rules| !rules.sensitive.is_empty())
    }

    pub(crate) fn is_sensitive(&self, type_name: &str, attribute: &str) -> bool {
        self.by_type.get(type_name).is_some_and(|rules| rules.sensitive.contains(&attribute))
    }

    pub(crate) fn is_computed_block(&self, type_name: &str, block: &str) -> bool {
        self.by_type.get(type_name).is_some_and(|rules| rules.computed_blocks.contains(&block))
    }

    /// Attributes and blocks, with dots into blocks, whose change makes Terraform replace the resource.
    pub(crate) fn replacing(&self, type_name: &str) -> impl Iterator<Item = &'static str> {
        let everywhere = self.by_type.get("*").map_or(&[][..], |rules| &rules.replace);
        let own = self.by_type.get(type_name).filter(|rules| !rules.replace.is_empty());
        let own = own.or_else(|| self.by_type.get("default")).map_or(&[][..], |rules| &rules.replace);
        everywhere.iter().chain(own).copied()
    }

    /// Computed attributes that get a new value whenever the resource changes.
    pub(crate) fn renewed(&self, type_name: &str) -> &[&'static str] {
        self.by_type.get(type_name).map_or(&[], |rules| &rules.renewed)
    }

    /// Computed attributes that follow from another one: that one first, then those that follow.
    pub(crate) fn derived(&self, type_name: &str) -> impl Iterator<Item = (&'static str, &[&'static str])> {
        let derived = self.by_type.get(type_name).map_or(&[][..], |rules| &rules.derived);
        derived.iter().filter_map(|names| names.split_first().map(|(cause, effects)| (*cause, effects)))
    }

    /// Attributes that together must be unique among the resources of the type in one region.
    pub(crate) fn unique(&self, type_name: &str) -> &[&'static str] {
        self.by_type.get(type_name).map_or(&[], |rules| &rules.unique)
    }

    /// Attributes that, while they are true, make the cloud refuse to delete the resource.
    pub(crate) fn protecting(&self, type_name: &str) -> &[&'static str] {
        self.by_type.get(type_name).map_or(&[], |rules| &rules.protecting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_without_a_line_falls_back_to_the_default() {
        let rules = Rules::parse("* replace region\ndefault replace name\naws_vpc replace cidr_block\n");
        let replacing = |name| rules.replacing(name).collect::<Vec<_>>();
        assert_eq!(replacing("aws_vpc"), ["region", "cidr_block"]);
        assert_eq!(replacing("aws_other"), ["region", "name"]);
    }
}
