//! The command line, as one table: help, completion and manual pages are made from it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use wellhead_sim::Faults;

use crate::serve::ServeArgs;

const EXIT_CODES: &str = "Exit codes: 0 success, 1 failure, 2 wrong usage, 3 invalid configuration.";

/// A gateway between applications and AI models that keeps answering when upstreams do not.
///
/// Without a command, `wellhead` serves: `wellhead --config wellhead.yaml` is `wellhead serve --config wellhead.yaml`.
#[derive(Debug, Parser)]
#[command(name = "wellhead", version, after_help = EXIT_CODES, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: ServeArgs,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve applications (this is the default)
    Serve(ServeArgs),
    /// Check a configuration file and show everything that is wrong with it
    Check(CheckArgs),
    /// Examine targets layer by layer, without spending a token, and say what is wrong and how to mend it
    Doctor(DoctorArgs),
    /// Show what the running gateway knows about its upstreams
    Status(StatusArgs),
    /// Tell what happened to a request that failed, was rescued or was not taken on
    Explain(ExplainArgs),
    /// Ask the running gateway whether it takes requests: exit code 0 if it does, 1 if not
    Health(AdminArgs),
    /// Make, list and revoke API keys of the running gateway
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look up what is known of providers, models and prices
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// Run a simulated model provider, with faults on demand
    Sim(SimArgs),
    /// Show what this build is
    Version(VersionArgs),
    /// Print a completion script for a shell
    Completion {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man {
        /// Write one page per command into this directory instead
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Where the running gateway is.
#[derive(Debug, Clone, Args)]
pub(crate) struct AdminArgs {
    /// Admin listener: HOST:PORT or http://HOST:PORT [default: as noted in the data directory, else 127.0.0.1:4001]
    #[arg(long, value_name = "URL", env = "WELLHEAD_ADMIN_URL")]
    pub(crate) admin: Option<String>,
    /// Data directory of the gateway: its admin token is read there, unless WELLHEAD_ADMIN_TOKEN or
    /// WELLHEAD_ADMIN_TOKEN_FILE is set
    #[arg(long, value_name = "DIR", env = "WELLHEAD_DATA_DIR", default_value = "wellhead-data")]
    pub(crate) data_dir: PathBuf,
}

/// Options of `wellhead check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The configuration file
    pub(crate) file: PathBuf,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    pub(crate) format: CheckFormat,
}

/// Options of `wellhead doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// A model as applications name it, or a provider [default: everything in the configuration]
    #[arg(value_name = "MODEL|PROVIDER")]
    pub(crate) name: Option<String>,
    /// The configuration file
    #[arg(long, short, value_name = "FILE", env = "WELLHEAD_CONFIG")]
    pub(crate) config: PathBuf,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Of a running gateway, which is asked for what it has met; none has to run
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
}

/// How diagnostics are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// Messages with the lines that they are about.
    Human,
    /// One JSON object.
    Json,
}

/// Options of `wellhead status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = StatusFormat::Text)]
    pub(crate) format: StatusFormat,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
}

/// Options of `wellhead explain`.
#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// The id of the request: `request_id` in its error, `x-request-id` in its headers
    pub(crate) request_id: String,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) admin: AdminArgs,
}

/// How the status is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StatusFormat {
    /// For a terminal.
    Text,
    /// One JSON object.
    Json,
}

/// `wellhead key …`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a key for an app and print it, this once
    Create {
        /// The app
        app: String,
        /// Make the app first if there is none of that name; it may then use every model, without limits
        #[arg(long)]
        create_app: bool,
        /// A name that tells this key from the app's other keys
        #[arg(long)]
        name: Option<String>,
        /// When the key stops working: 90d, 12h, 30m, 45s [default: never]
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        expires_in: Option<Duration>,
        #[command(flatten)]
        admin: AdminArgs,
    },
    /// List keys: never their text, which is not kept
    List {
        /// Only those of this app
        app: Option<String>,
        #[command(flatten)]
        admin: AdminArgs,
    },
    /// Take a key out of service for good
    Revoke {
        /// The app
        app: String,
        /// The key's id, as `wellhead key list` shows it
        id: String,
        #[command(flatten)]
        admin: AdminArgs,
    },
}

/// `wellhead catalog …`.
#[derive(Debug, Subcommand)]
pub(crate) enum CatalogCommand {
    /// Find models: exit code 1 if there is none
    Search(CatalogSearchArgs),
    /// Show everything that is known of a model, and from where
    Show(CatalogShowArgs),
    /// List the kinds of providers
    Kinds {
        /// As one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// Options of `wellhead catalog search`.
#[derive(Debug, Args)]
pub(crate) struct CatalogSearchArgs {
    /// Words that the model's name, as KIND/MODEL, has in it: all of them, in any order, in small or capital letters
    #[arg(value_name = "WORD")]
    pub(crate) words: Vec<String>,
    /// Only models of this kind of provider
    #[arg(long, value_name = "KIND")]
    pub(crate) provider: Option<String>,
    /// Only models that are known to have this ability: tools, vision, json-schema, … (may be given several times)
    #[arg(long, value_name = "ABILITY")]
    pub(crate) can: Vec<String>,
    /// Only models for this
    #[arg(long, value_name = "MODE", value_parser = wellhead_catalog::Mode::ALL.map(wellhead_catalog::Mode::name))]
    pub(crate) mode: Option<String>,
    /// Only models that are known to cost at most so many dollars for a million input tokens
    #[arg(long, value_name = "DOLLARS")]
    pub(crate) price_max: Option<String>,
    /// Most models that are shown
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// A configuration file whose section `catalog` counts as well
    #[arg(long, short, value_name = "FILE", env = "WELLHEAD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `wellhead catalog show`.
#[derive(Debug, Args)]
pub(crate) struct CatalogShowArgs {
    /// The model as KIND/MODEL, or by its name alone
    pub(crate) model: String,
    /// A configuration file whose section `catalog` counts as well
    #[arg(long, short, value_name = "FILE", env = "WELLHEAD_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of `wellhead sim`.
#[derive(Debug, Args)]
pub(crate) struct SimArgs {
    /// Where it listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8401")]
    pub(crate) addr: SocketAddr,
    /// Time between two tokens
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "20ms")]
    pub(crate) pace: Duration,
    /// Tokens of an answer when the request sets no lower limit
    #[arg(long, value_name = "N", default_value_t = 48)]
    pub(crate) tokens: usize,
    /// The same conversation gets the same answer from every simulator with the same seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Accept only this key (may be given several times) [default: accept everything]
    #[arg(long = "key", value_name = "KEY")]
    pub(crate) keys: Vec<String>,
    /// What goes wrong with every request: status:503, cut-after:5, slow-first-token:2000+silence, …
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Option<Faults>,
    /// Requests that it works on at a time, as a model server with so many slots [default: any number]
    #[arg(long, value_name = "N")]
    pub(crate) slots: Option<usize>,
    /// Status with which further requests are refused [default: they wait for a slot]
    #[arg(long, value_name = "STATUS", requires = "slots")]
    pub(crate) slots_refuse: Option<u16>,
    /// Threads; 0 takes one for each core
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) threads: usize,
}

/// Options of `wellhead version`.
#[derive(Debug, Args)]
pub(crate) struct VersionArgs {
    /// As one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `250ms`, `45s`, `30m`, `12h`, `90d`.
fn duration(text: &str) -> Result<Duration, String> {
    let expected = || {
        format!("{text:?} is no duration; expected a whole number with its unit: 250ms, 45s, 30m, 12h or 90d")
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| expected())?;
    let unit_ms: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(expected()),
    };
    number.checked_mul(unit_ms).map(Duration::from_millis).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{Cli, Command, duration};
    use clap::{CommandFactory, Parser};
    use std::time::Duration;

    #[test]
    fn the_table_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_command_means_serve_with_its_options() {
        let cli = Cli::try_parse_from(["wellhead", "--config", "x.yaml"]).unwrap();
        assert!(cli.command.is_none());
        assert_eq!(cli.serve.config.unwrap().to_str(), Some("x.yaml"));
        let cli = Cli::try_parse_from(["wellhead", "check", "x.yaml"]).unwrap();
        assert!(matches!(cli.command, Some(Command::Check(args)) if args.file.to_str() == Some("x.yaml")));
        assert!(Cli::try_parse_from(["wellhead", "--config", "x.yaml", "status"]).is_err());
    }

    #[test]
    fn durations_need_their_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("90d"), Ok(Duration::from_secs(90 * 86_400)));
        for wrong in ["", "5", "s", "1.5s", "-1s", "5 s", "99999999999999999d", "1w", "١s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
