//! Finds the admin listener and the token: flags, then the environment, then the data directory.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use wellhead_types::Secret;

use crate::cli::AdminArgs;

const ADDRESS_DEFAULT: &str = "127.0.0.1:4001";
const TOKEN: &str = "WELLHEAD_ADMIN_TOKEN";
const TOKEN_FILE: &str = "WELLHEAD_ADMIN_TOKEN_FILE";
/// An address or a token is far shorter.
const FILE_BYTES_MAX: u64 = 4096;

/// `HOST:PORT` of the admin listener.
pub(super) fn address(args: &AdminArgs) -> anyhow::Result<String> {
    if let Some(given) = &args.admin {
        return authority(given);
    }
    let noted = read_line(&args.data_dir.join("admin-address"))?;
    Ok(noted.unwrap_or_else(|| ADDRESS_DEFAULT.to_owned()))
}

/// The token, and where it came from; `None` if there is none to be found.
pub(super) fn token(args: &AdminArgs) -> anyhow::Result<Option<(Secret, String)>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(token) = variable(TOKEN) {
        return Ok(Some((Secret::new(token.trim()), TOKEN.to_owned())));
    }
    let (file, required) = match variable(TOKEN_FILE) {
        Some(file) => (PathBuf::from(file), true),
        None => (token_file(args), false),
    };
    let from = file.display().to_string();
    match read_line(&file)? {
        Some(token) => Ok(Some((Secret::new(token), from))),
        None if required => bail!("{TOKEN_FILE} names {from}, which does not exist"),
        None => Ok(None),
    }
}

/// Where the token is looked for last; named in messages.
pub(super) fn token_file(args: &AdminArgs) -> PathBuf {
    args.data_dir.join("admin-token")
}

fn read_line(path: &Path) -> anyhow::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot open {}; run as the gateway's user", path.display()));
        }
    };
    let mut text = String::new();
    file.take(FILE_BYTES_MAX)
        .read_to_string(&mut text)
        .with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

/// `http://HOST:PORT/` or `HOST:PORT`.
fn authority(given: &str) -> anyhow::Result<String> {
    if given.starts_with("https://") {
        bail!(
            "the admin listener speaks no TLS: use http:// and an address of this machine, or a tunnel to it"
        );
    }
    let rest = given.strip_prefix("http://").unwrap_or(given).trim_end_matches('/');
    let parsed = rest.parse::<http::uri::Authority>().ok().filter(|a| !a.as_str().contains('@'));
    match parsed {
        Some(authority) if authority.port_u16().is_some() => Ok(authority.to_string()),
        Some(authority) if authority.port().is_none() && given.starts_with("http://") => {
            Ok(format!("{authority}:80"))
        }
        _ => bail!("{given:?} is no admin address; expected HOST:PORT or http://HOST:PORT"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{AdminArgs, address, authority, token};

    #[test]
    fn addresses_are_taken_with_and_without_a_scheme() {
        assert_eq!(authority("127.0.0.1:4001").unwrap(), "127.0.0.1:4001");
        assert_eq!(authority("http://[::1]:4001/").unwrap(), "[::1]:4001");
        assert_eq!(authority("http://gateway.internal").unwrap(), "gateway.internal:80");
        for wrong in [
            "https://x:1",
            "localhost",
            "",
            "http://",
            "u:p@host:1",
            "host:99999",
            "host:1/path",
            "ftp://x:1",
        ] {
            assert!(authority(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_data_directory_knows_what_is_not_said() {
        let dir = tempfile::tempdir().unwrap();
        let args = AdminArgs { admin: None, data_dir: dir.path().to_owned() };
        assert_eq!(address(&args).unwrap(), "127.0.0.1:4001");
        assert!(token(&args).unwrap().is_none());
        std::fs::write(dir.path().join("admin-address"), "127.0.0.1:9\n").unwrap();
        std::fs::write(dir.path().join("admin-token"), "wh_admin_x\n").unwrap();
        assert_eq!(address(&args).unwrap(), "127.0.0.1:9");
        assert_eq!(token(&args).unwrap().unwrap().0.expose(), "wh_admin_x");
        let said = AdminArgs { admin: Some("127.0.0.1:8".into()), ..args };
        assert_eq!(address(&said).unwrap(), "127.0.0.1:8");
    }
}
