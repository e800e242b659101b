//! `wellhead doctor [MODEL|PROVIDER]`: which layer of which target is broken, and how to mend it. Needs the
//! configuration and no running gateway: that is when people ask.

mod running;

use std::io;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use wellhead_catalog::Catalog;
use wellhead_doctor::{Examined, Finding, Level, Report, Subjects};

use super::load::{Loaded, catalog, load};
use super::{EXIT_INVALID_CONFIG, EXIT_USAGE};
use crate::cli::DoctorArgs;
use crate::ui::{self, Colour};

pub(super) async fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let catalog = catalog()?;
    let Loaded { document, snapshot, .. } = match load(&args.config, &catalog)? {
        Ok(loaded) => loaded,
        Err(diagnostics) => {
            ui::note(wellhead_config::render(&diagnostics).trim_end());
            return Ok(ExitCode::from(EXIT_INVALID_CONFIG));
        }
    };
    let subjects = match Subjects::new(&document, &snapshot, args.name.as_deref()) {
        Ok(subjects) => subjects,
        Err(unknown) => {
            ui::error(&unknown.into());
            return Ok(ExitCode::from(EXIT_USAGE));
        }
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let report = wellhead_doctor::examine(subjects, hosts(&catalog), now).await;
    let gateway = running::remarks(&args.admin, &report).await;
    ui::out(&if args.json { json(&report, gateway.as_deref()) } else { human(&report, gateway.as_deref()) })?;
    Ok(if report.count(Level::Fail) == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The hosts of the vendors in the catalogue, for slips in names.
fn hosts(catalog: &Catalog) -> Vec<(String, String)> {
    let host = |url: &str| {
        let (_, rest) = url.split_once("://")?;
        rest.split(['/', ':']).next().map(str::to_owned)
    };
    let of_kind =
        |kind: &wellhead_catalog::Kind| Some((host(kind.base_url.as_deref()?)?, kind.name.to_string()));
    catalog.kinds().filter_map(|kind| of_kind(kind)).collect()
}

fn json(report: &Report, gateway: Option<&[String]>) -> String {
    let value = json!({
        "ok": report.count(Level::Fail) == 0,
        "failed": report.count(Level::Fail),
        "warnings": report.count(Level::Warn),
        "providers": report.providers,
        "gateway": gateway.map(|remarks| json!({ "remarks": remarks })),
    });
    format!("{value:#}\n")
}

fn human(report: &Report, gateway: Option<&[String]>) -> String {
    let mut text: String = report.providers.iter().map(provider).collect();
    match gateway {
        None => {}
        Some([]) => text.push_str("The running gateway has met no trouble with them.\n\n"),
        Some(remarks) => text.push_str(&format!("The running gateway says:\n  {}\n\n", remarks.join("\n  "))),
    }
    let (failed, warnings) = (report.count(Level::Fail), report.count(Level::Warn));
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    text.push_str(&match (failed, warnings) {
        (0, 0) if report.providers.is_empty() => {
            let text = "the configuration has no provider that requests are sent to";
            ui::paint(Colour::Yellow, text, &io::stdout())
        }
        (0, 0) => ui::paint(Colour::Green, "nothing wrong was found", &io::stdout()),
        (0, warnings) => ui::paint(Colour::Yellow, &count(warnings, "warning"), &io::stdout()),
        (failed, 0) => ui::paint(Colour::Red, &count(failed, "failure"), &io::stdout()),
        (failed, warnings) => {
            let text = format!("{}, {}", count(failed, "failure"), count(warnings, "warning"));
            ui::paint(Colour::Red, &text, &io::stdout())
        }
    });
    text.push('\n');
    text
}

fn provider(examined: &Examined) -> String {
    let lines: String = examined.findings.iter().map(finding).collect();
    format!("{}  {}\n{lines}\n", examined.provider, examined.base_url)
}

fn finding(finding: &Finding) -> String {
    // The colour's own letters are no width.
    let level = match finding.level {
        Level::Ok => ui::paint(Colour::Green, "ok  ", &io::stdout()),
        Level::Warn => ui::paint(Colour::Yellow, "warn", &io::stdout()),
        Level::Fail => ui::paint(Colour::Red, "FAIL", &io::stdout()),
        Level::Skipped => "-   ".to_owned(),
    };
    let about = finding.about.as_ref().map_or_else(String::new, |about| format!("{about}: "));
    let code = finding.code.map_or_else(String::new, |code| format!(" [{code}]"));
    let fix = finding.fix.as_ref().map_or_else(String::new, |fix| format!("{:18}fix: {fix}\n", ""));
    format!("  {:<10}  {level}  {about}{}{code}\n{fix}", finding.layer.as_str(), finding.text)
}
