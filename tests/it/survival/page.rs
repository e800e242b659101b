//! The page `docs/reference/survival.md`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::cases::{Case, Second, covering};
use super::faults::VARIANTS;
use super::judge::{Outcome, Verdict};

const HEAD: &str = "\
# Survival

What a client gets when targets fail. Written by the tests (`tests/it/survival`) from what happened over real sockets,
and checked by `make test`; `make soak` runs every pair. To write it anew:
`WELLHEAD_BLESS=1 cargo nextest run --package wellhead-it fault_matrix`.

Each cell says what the client got, the rung as in the access record, and how many attempts there were. A rung in the
header is the same, but for `resumed`: headers are sent before a stream is rescued.

| Word | Meaning |
| --- | --- |
| answered | the complete answer |
| passed on | what the target says of the request itself, with its status; no other target is asked |
| a code | an error of the gateway with this code, before any content |
| broken off | an error with this code within the stream; nothing looks finished |

A model here has one target, or two in two tiers; three attempts; 5 s to the first content (unstreamed: to the end);
1.5 s of silence for a stream. Answers have 24 tokens. Faults are written as `wellhead sim` takes them; `once` means that
the target recovers, and a word after a status is the `code` in the body of the error. With a fallback, the model has one
target, a smaller model that may stand in (`fallback.model`), and a larger one for what is too long
(`fallback.larger_model`).
";

impl Verdict {
    fn cell(&self) -> String {
        let outcome = match &self.outcome {
            Outcome::Answered => "answered".to_owned(),
            Outcome::PassedOn(status) => format!("passed on {status}"),
            Outcome::Refused(code) => format!("`{code}`"),
            Outcome::BrokenOff(code) => format!("broken off `{code}`"),
        };
        format!("{outcome}, {}, {}", self.rung, self.attempts)
    }
}

/// The page, from the verdicts on the cases.
pub(super) fn render(cases: &[Case], verdicts: &[Option<Verdict>]) -> String {
    let cells: HashMap<_, _> = cases
        .iter()
        .zip(verdicts)
        .map(|(case, verdict)| (case.key(), verdict.as_ref().map_or("no answer".to_owned(), Verdict::cell)))
        .collect();
    let cell = |first: &str, second: &str, streamed| {
        cells.get(&(first.to_owned(), second.to_owned(), streamed)).cloned().unwrap_or_default()
    };
    let mut page = HEAD.to_owned();
    page.push_str(
        "\n## One fault\n\n\
         | Fault | Only target, whole | Only target, streamed | Healthy second, whole | Healthy second, streamed \
         | Fallback, whole | Fallback, streamed |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for variant in VARIANTS {
        let first = variant.label();
        page.push_str(&format!("| `{first}` |"));
        for second in [Second::Absent, Second::Healthy, Second::Declared] {
            for streamed in [false, true] {
                page.push_str(&format!(" {} |", cell(&first, &second.label(), streamed)));
            }
        }
        page.push('\n');
    }
    page.push_str(
        "\n## Two faults\n\n\
         Each kind of fault of the first target with each kind of the second.\n\n\
         | First target | Second target | Whole | Streamed |\n| --- | --- | --- | --- |\n",
    );
    for case in covering().iter().filter(|case| case.streamed) {
        let (first, second) = (case.first.label(), case.second.label());
        let [whole, streamed] = [false, true].map(|streamed| cell(&first, &second, streamed));
        page.push_str(&format!("| `{first}` | `{second}` | {whole} | {streamed} |\n"));
    }
    page
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/survival.md")
}

/// Writes the page, if that is asked for.
pub(super) fn bless(page: &str) {
    if std::env::var_os("WELLHEAD_BLESS").is_some() {
        std::fs::write(path(), page).unwrap();
    }
}

/// Fails when the checked-in page is another one, and says where.
pub(super) fn compare(page: &str) {
    let old = std::fs::read_to_string(path()).unwrap_or_default();
    let lines = |from: &str, other: &str, sign: char| -> String {
        let new = from.lines().filter(|line| !other.lines().any(|one| one == *line));
        new.map(|line| format!("{sign} {line}\n")).collect()
    };
    assert!(
        old == page,
        "docs/reference/survival.md differs from what happened; if that is right, run this test with \
         WELLHEAD_BLESS=1\n{}{}",
        lines(&old, page, '-'),
        lines(page, &old, '+')
    );
}
