//! The endpoint that ECS and EKS (Pod Identity) give to a container.

use super::{Aws, keys};
use crate::client::{Address, Question};
use crate::error::{FetchError, Trouble};
use crate::material::Fetched;
use crate::surroundings::read;

const FROM: &str = "container endpoint";
/// Where ECS answers.
const ECS: &str = "http://169.254.170.2";
/// Hosts that may be asked in clear text, beside loopback: ECS, and EKS by either protocol.
const CLEAR: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

impl Aws<'_> {
    pub(super) async fn container(&self) -> Result<Fetched, FetchError> {
        let variable = |name: &str| self.around.variable(name);
        let relative = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").map(|path| format!("{ECS}{path}"));
        let Some(url) = relative.or_else(|| variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")) else {
            let detail = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set";
            return Err(FetchError::new(
                Trouble::NoSource,
                FROM,
                detail,
                "run this as an ECS or EKS workload",
            ));
        };
        let address = Address::parse(&url)
            .filter(|address| address.is_private() || CLEAR.contains(&address.host.as_str()));
        let address = address.ok_or_else(|| {
            let detail = "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor an address of ECS, EKS or this machine";
            FetchError::new(Trouble::Malformed, FROM, detail, "correct it")
        })?;
        let token = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(file) => Some(read(file.as_ref(), FROM)?.trim().to_owned()),
            None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        };
        let mut question = Question::get(address);
        if let Some(token) = token {
            question = question.header("authorization", &token, FROM)?;
        }
        let answer = self.client.ask(FROM, question).await?;
        keys(&answer, FROM, "give the task or the service account a role")
    }
}
