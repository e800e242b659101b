//! `wellhead status`: the upstream truth, as `/status` tells it.

use std::process::ExitCode;

use anyhow::bail;
use http::{Method, StatusCode};

use crate::admin::Client;
use crate::cli::{StatusArgs, StatusFormat};
use crate::ui;

pub(super) async fn run(args: &StatusArgs) -> anyhow::Result<ExitCode> {
    let client = Client::new(&args.admin)?;
    let format = match args.format {
        StatusFormat::Text => "text",
        StatusFormat::Json => "json",
    };
    let answer = client.send(Method::GET, &format!("/status?format={format}"), None).await?;
    match answer.status {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => bail!(
            "the gateway tells its status to other machines only with the admin token; set WELLHEAD_ADMIN_TOKEN"
        ),
        status => {
            bail!("the gateway answered {status}: {}", String::from_utf8_lossy(&answer.body).trim_end())
        }
    }
    ui::out_bytes(&answer.body)?;
    if !answer.body.ends_with(b"\n") {
        ui::out("\n")?;
    }
    Ok(ExitCode::SUCCESS)
}
