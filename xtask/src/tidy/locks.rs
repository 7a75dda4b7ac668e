//! Lock files name versions and hashes, never the address of the server that happened to serve them.

use super::Text;

/// What cargo writes for the public index, whichever mirror served the crates.
const PUBLIC_INDEX: &str = "/crates.io-index\"";

pub(super) fn check(files: &[Text]) -> Vec<String> {
    files.iter().flat_map(addresses).collect()
}

fn addresses(file: &Text) -> Vec<String> {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    let is_address: fn(&str) -> bool = match name {
        "Cargo.lock" => |line| line.starts_with("source = ") && !line.ends_with(PUBLIC_INDEX),
        "package-lock.json" | "npm-shrinkwrap.json" => |line| line.contains("\"resolved\": \"http"),
        _ => return Vec::new(),
    };
    let lines = file.text.lines().enumerate().filter(|(_, line)| is_address(line));
    lines.map(|(number, _)| format!("{}:{}: records a download address", file.path, number + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::made_up;

    #[test]
    fn a_mirror_or_a_git_address_does_not_stay() {
        let good = format!("source = \"registry+https://example.org{PUBLIC_INDEX}\n");
        let files = [
            made_up("Cargo.lock", &(good + "source = \"git+https://example.org/x\"\n")),
            made_up("web/package-lock.json", "{\n  \"resolved\": \"https://example.org/x.tgz\"\n}\n"),
            made_up("README.md", "\"resolved\": \"https://example.org\"\n"),
        ];
        let wrong = check(&files);
        assert_eq!(
            wrong,
            [
                "Cargo.lock:2: records a download address",
                "web/package-lock.json:2: records a download address"
            ]
        );
    }
}
