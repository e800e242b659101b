//! The metadata service of EC2, version 2: a session is opened first.

use super::{Aws, keys};
use crate::client::{Address, Question};
use crate::error::{FetchError, Trouble};
use crate::json::said;
use crate::material::Fetched;
use http::Method;
use std::time::Duration;

const FROM: &str = "EC2 metadata service";
const USUAL: &str = "http://169.254.169.254";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
/// Time for one answer: the service is on the machine itself, and elsewhere nobody answers at all.
const ANSWER_MAX: Duration = Duration::from_secs(2);
const FIX: &str =
    "give the instance a role (instance profile); in containers, let the hop limit of the service be 2";

impl Aws<'_> {
    /// `searching`: whoever does not answer is no EC2.
    pub(super) async fn imds(&self, searching: bool) -> Result<Fetched, FetchError> {
        let variable = |name: &str| self.around.variable(name);
        if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            let detail = "AWS_EC2_METADATA_DISABLED is set";
            return Err(FetchError::new(Trouble::NoSource, FROM, detail, "unset it"));
        }
        let base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| USUAL.to_owned());
        let base = Address::parse(&base).ok_or_else(|| {
            let detail = "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL";
            FetchError::new(Trouble::Malformed, FROM, detail, "correct it")
        })?;
        let mut open = Question::get(base.with("/latest/api/token")).header(
            "x-aws-ec2-metadata-token-ttl-seconds",
            "300",
            FROM,
        )?;
        open.method = Method::PUT;
        let session = match self.client.ask_within(FROM, open, ANSWER_MAX).await {
            Err(error) if searching && error.trouble == Trouble::Unreachable => {
                return Err(FetchError { trouble: Trouble::NoSource, ..error });
            }
            answer => answer?,
        };
        if session.status != 200 {
            return Err(FetchError::new(Trouble::Refused, FROM, said(&session, None, &[]), FIX));
        }
        let session = String::from_utf8_lossy(&session.body).trim().to_owned();
        let roles = self.imds_get(base.with(ROLES), &session).await?;
        let listed = String::from_utf8_lossy(&roles.body);
        let role =
            listed.lines().map(str::trim).find(|line| !line.is_empty()).filter(|_| roles.status == 200);
        let Some(role) = role.filter(|role| !role.contains(['/', '?', ' '])) else {
            let trouble = if searching { Trouble::NoSource } else { Trouble::Refused };
            return Err(FetchError::new(trouble, FROM, "the instance has no role", FIX));
        };
        let answer = self.imds_get(base.with(&format!("{ROLES}{role}")), &session).await?;
        keys(&answer, FROM, FIX)
    }

    async fn imds_get(&self, address: Address, session: &str) -> Result<crate::client::Answer, FetchError> {
        let question = Question::get(address).header("x-aws-ec2-metadata-token", session, FROM)?;
        self.client.ask_within(FROM, question, ANSWER_MAX).await
    }
}
