//! The newest requests that did not go straight, for `wellhead explain`. In memory, bounded twice, gone with the
//! process: whoever wants more has the access log. Those that failed have half of the room for themselves: while a
//! standby answers, thousands a second are rescued, and would crowd them out.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wellhead_types::{StoriesKept, Story};

/// Stories that are kept, in both halves. An outage makes hundreds a second; those that people ask about are minutes
/// old at most.
pub(crate) const STORIES_MAX: usize = 1_000;
/// Memory that they may take. A story with six attempts has about 3 KiB.
pub(crate) const STORIES_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The two halves.
#[derive(Debug, Default)]
pub(crate) struct Stories {
    failed: Mutex<Ring>,
    others: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    stories: VecDeque<(usize, Arc<Story>)>,
    bytes: usize,
}

impl Stories {
    /// Keeps a story; the oldest ones make room.
    pub(crate) fn keep(&self, story: Story, failed: bool) {
        let bytes = bytes(&story);
        if bytes > STORIES_BYTES_MAX / 2 {
            return;
        }
        let story = Arc::new(story);
        let mut dropped = Vec::new();
        let mut ring = lock(if failed { &self.failed } else { &self.others });
        ring.bytes += bytes;
        ring.stories.push_back((bytes, story));
        while ring.stories.len() > STORIES_MAX / 2 || ring.bytes > STORIES_BYTES_MAX / 2 {
            let Some((bytes, oldest)) = ring.stories.pop_front() else { break };
            ring.bytes -= bytes;
            dropped.push(oldest);
        }
        // What was dropped is freed when the lock is gone.
        drop(ring);
    }

    /// The newest story of this id, a failure before anything else: clients may use one id several times.
    pub(crate) fn find(&self, request_id: &str) -> Option<Arc<Story>> {
        let newest = |ring: &Ring| {
            let mut newest_first = ring.stories.iter().rev().map(|(_, story)| story);
            newest_first.find(|story| story.request_id == request_id).cloned()
        };
        newest(&lock(&self.failed)).or_else(|| newest(&lock(&self.others)))
    }

    /// How many there are.
    pub(crate) fn kept(&self) -> StoriesKept {
        let kept = [&self.failed, &self.others].map(|half| {
            let ring = lock(half);
            (ring.stories.len(), ring.bytes)
        });
        StoriesKept {
            stories: kept.iter().map(|(stories, _)| stories).sum(),
            stories_max: STORIES_MAX,
            bytes: kept.iter().map(|(_, bytes)| bytes).sum(),
            bytes_max: STORIES_BYTES_MAX,
        }
    }
}

fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

/// About how much memory a story takes.
fn bytes(story: &Story) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let attempts = story.attempts.iter().map(|attempt| {
        size_of_val(attempt) + attempt.target.len() + text(&attempt.key_id) + text(&attempt.detail)
    });
    let findings = story.findings.iter().map(|finding| {
        size_of_val(finding) + finding.about.len() + finding.message.len() + finding.fix.len()
    });
    let diagnosis = story.diagnosis.iter().map(|diagnosis| diagnosis.message.len() + diagnosis.fix.len());
    let own = story.request_id.len() + text(&story.app) + text(&story.route) + story.did.len();
    size_of_val(story) + own + attempts.chain(findings).chain(diagnosis).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::{STORIES_BYTES_MAX, STORIES_MAX, Stories};
    use wellhead_types::Story;

    fn story(id: usize, did: String) -> Story {
        Story {
            request_id: id.to_string(),
            at_ms: 0,
            app: None,
            route: None,
            endpoint: "other",
            streamed: false,
            status: 503,
            outcome: "failed",
            rung: "refused",
            code: None,
            duration_ms: 0,
            allowed_ms: None,
            did,
            attempts: Vec::new(),
            diagnosis: None,
            findings: Vec::new(),
        }
    }

    #[test]
    fn the_newest_are_kept_and_the_number_is_bounded() {
        let stories = Stories::default();
        (0..STORIES_MAX).for_each(|id| stories.keep(story(id, String::new()), true));
        assert_eq!(stories.kept().stories, STORIES_MAX / 2);
        assert!(stories.find("499").is_none() && stories.find("500").is_some());
        stories.keep(story(700, "again".to_owned()), true);
        assert_eq!(stories.find("700").map(|story| story.did.clone()).as_deref(), Some("again"));
    }

    #[test]
    fn those_that_are_rescued_crowd_no_failure_out() {
        let stories = Stories::default();
        stories.keep(story(7, "failed".to_owned()), true);
        (0..STORIES_MAX * 3).for_each(|id| stories.keep(story(id, String::new()), false));
        assert_eq!(stories.find("7").map(|story| story.did.clone()).as_deref(), Some("failed"));
        assert_eq!(stories.kept().stories, STORIES_MAX / 2 + 1);
    }

    #[test]
    fn the_memory_is_bounded_too() {
        let stories = Stories::default();
        (0..STORIES_MAX).for_each(|id| stories.keep(story(id, "x".repeat(STORIES_BYTES_MAX / 100)), false));
        let kept = stories.kept();
        assert!(kept.stories < 50 && kept.bytes <= STORIES_BYTES_MAX / 2, "{kept:?}");
        stories.keep(story(7_777, "x".repeat(STORIES_BYTES_MAX)), false);
        assert_eq!(stories.kept(), kept, "one that is larger than everything is left out");
    }
}
