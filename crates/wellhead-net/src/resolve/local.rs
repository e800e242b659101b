//! What needs no server: `localhost`, and the hosts file.

use std::collections::HashMap;
use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// Largest hosts file that is read. Lists of unwanted hosts have a few MiB.
const HOSTS_BYTES_MAX: u64 = 16 << 20;

/// The addresses of `localhost` and of names below it, which no server is ever asked for (RFC 6761 section 6.3). Both,
/// as one endpoint: servers that listen on one of them only are common. IPv4 first, as most of those do.
pub(super) fn localhost(host: &str) -> Option<[IpAddr; 2]> {
    let host = host.strip_suffix('.').unwrap_or(host);
    let parent = host.len().checked_sub("localhost".len())?;
    let is_localhost = host.get(parent..)?.eq_ignore_ascii_case("localhost")
        && (parent == 0 || host.as_bytes().get(parent - 1) == Some(&b'.'));
    is_localhost.then_some([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)])
}

/// A file that is looked at again and again, and read when it has changed.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    /// `None`: never looked at. `Some(None)`: not there.
    seen: Option<Option<(SystemTime, u64)>>,
}

impl Watched {
    pub(super) fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), seen: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is another file than at the last call.
    pub(super) fn has_changed(&mut self) -> bool {
        let metadata = std::fs::metadata(&self.path).ok();
        let now = Some(metadata.and_then(|m| Some((m.modified().ok()?, m.len()))));
        let changed = self.seen != now;
        self.seen = now;
        changed
    }
}

/// The hosts file, as it is now.
#[derive(Debug)]
pub(super) struct Hosts {
    file: Watched,
    entries: HashMap<String, Vec<IpAddr>>,
}

impl Hosts {
    pub(super) fn new(path: &Path) -> Self {
        Self { file: Watched::new(path), entries: HashMap::new() }
    }

    /// The addresses that the file gives to `host`. They count instead of what servers say.
    pub(super) fn look_up(&mut self, host: &Arc<str>) -> Option<&[IpAddr]> {
        if self.file.has_changed() {
            // A file that cannot be read is one that says nothing.
            self.entries = read(self.file.path()).map(|text| parse(&text)).unwrap_or_default();
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        self.entries.get(host).map(Vec::as_slice)
    }
}

fn read(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(HOSTS_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
    if bytes.len() as u64 > HOSTS_BYTES_MAX {
        tracing::warn!(file = %path.display(), "larger than {HOSTS_BYTES_MAX} bytes; it is not used");
        return None;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// hosts(5): an address and its names per line, `#` begins a comment. What is no address is skipped.
fn parse(text: &str) -> HashMap<String, Vec<IpAddr>> {
    let mut entries: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for line in text.lines() {
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let mut words = line.split_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else { continue };
        for name in words {
            let known = entries.entry(name.trim_end_matches('.').to_ascii_lowercase()).or_default();
            if !known.contains(&address) {
                known.push(address);
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn localhost_and_what_is_below_it_is_one_endpoint_with_two_addresses() {
        let both = Some([IpAddr::from([127, 0, 0, 1]), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        for name in ["localhost", "LocalHost", "localhost.", "api.localhost", "a.b.localhost."] {
            assert_eq!(localhost(name), both, "{name}");
        }
        for name in ["", ".", "host", "localhost.example", "mylocalhost", "localhos", "é.ocalhost"] {
            assert_eq!(localhost(name), None, "{name}");
        }
    }

    #[test]
    fn a_hosts_file_gives_names_all_their_addresses() {
        let entries = parse(
            "# comment\n127.0.0.1\tlocalhost\n10.0.0.7 Model.Internal model # the model server\n\
             fd00::7 model\n10.0.0.7 model\nnot-an-address x\n\n",
        );
        assert_eq!(entries["model"], ["10.0.0.7".parse::<IpAddr>().unwrap(), "fd00::7".parse().unwrap()]);
        assert_eq!(entries["model.internal"], ["10.0.0.7".parse::<IpAddr>().unwrap()]);
        assert!(!entries.contains_key("x"));
        assert!(!entries.contains_key("the"));
    }

    #[test]
    fn a_missing_hosts_file_says_nothing() {
        let mut hosts = Hosts::new(Path::new("/nonexistent/hosts"));
        assert_eq!(hosts.look_up(&"model".into()), None);
    }
}
