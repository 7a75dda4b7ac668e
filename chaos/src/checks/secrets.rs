//! No secret in what processes say, in logs, or in the database: the ones that are known, and nothing that looks like a
//! token.

use super::Evidence;

/// How tokens begin.
const PREFIXES: [&str; 3] = ["ala_", "alr_", "alj_"];
/// How long one is behind that.
const LENGTH: usize = 43;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    evidence.texts.iter().flat_map(|(name, text)| look(evidence, name, text)).collect()
}

fn look(evidence: &Evidence, name: &str, text: &str) -> Vec<String> {
    let known = evidence.secrets.iter().filter(|secret| text.contains(secret.as_str()));
    let known = known.map(|secret| format!("a secret that begins with {:?} is in {name}", &secret[..8]));
    let tokens = PREFIXES.into_iter().filter(|prefix| has_token(text, prefix));
    known.chain(tokens.map(|prefix| format!("a token that begins with {prefix:?} is in {name}"))).collect()
}

fn has_token(text: &str, prefix: &str) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    text.match_indices(prefix).any(|(at, _)| {
        let rest = &text.as_bytes()[at + prefix.len()..];
        rest.iter().take_while(|byte| is_part(byte)).count() >= LENGTH
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_and_its_digest_is_none() {
        let token = format!("x alj_{} y", "a".repeat(LENGTH));
        assert!(has_token(&token, "alj_"));
        assert!(!has_token("alj_ and no more", "alj_"));
    }
}
