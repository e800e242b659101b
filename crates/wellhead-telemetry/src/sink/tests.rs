#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::io::{self, Write};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Instant;

use super::*;
use crate::samples;

fn metrics() -> Arc<Metrics> {
    Arc::new(Metrics::new("1.2.3", 0))
}

fn options(access_log: AccessLog) -> TelemetryOptions {
    TelemetryOptions { access_log, workers: 2, metrics: metrics(), otlp: None }
}

fn dropped(metrics: &Metrics) -> u64 {
    metrics.shared().pipeline.records_dropped.load(SeqCst)
}

fn json_of(record: &RequestRecord) -> String {
    let mut line = Vec::new();
    line::JsonLines::new().add(&mut line, record);
    String::from_utf8(line).unwrap()
}

fn human_of(record: &RequestRecord) -> String {
    let mut line = Vec::new();
    line::human(&mut line, record).unwrap();
    String::from_utf8(line).unwrap()
}

#[test]
fn json_lines() {
    let lines = [samples::rescued(), samples::rejected(), samples::failed()].map(|record| json_of(&record));
    insta::assert_snapshot!(lines.concat());
    for line in &lines {
        assert_eq!(line.matches('\n').count(), 1);
        let parsed: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(parsed.as_object().unwrap().len(), 28, "every member is always there");
    }
}

#[test]
fn lines_for_people() {
    let mut left = samples::rescued();
    left.status = 0;
    left.outcome = wellhead_types::Outcome::Cancelled;
    left.usage_estimated = true;
    let lines =
        [samples::rescued(), samples::rejected(), samples::failed(), left].map(|record| human_of(&record));
    insta::assert_snapshot!(lines.concat());
}

/// Names come from the configuration, ids from callers: neither may break out of its line or its member.
#[test]
fn hostile_names_stay_in_their_place() {
    let mut record = samples::rescued();
    let hostile = "a\"},{\n\r\u{1b}[31m\u{7f}\\";
    record.app = Some(hostile.into());
    record.key_id = Some(hostile.into());
    record.route = Some(hostile.into());
    record.attempts[0].target = hostile.into();
    let line = json_of(&record);
    assert_eq!(line.matches('\n').count(), 1);
    let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
    for member in ["app", "key_id", "route"] {
        assert_eq!(parsed[member], hostile);
    }
    assert_eq!(parsed["attempts"][0]["target"], hostile);
    let human = human_of(&record);
    assert!(human.trim_end_matches('\n').chars().all(|c| !c.is_control()), "{human:?}");
}

#[test]
fn what_was_emitted_is_in_the_file_after_shutdown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    std::fs::write(&path, "before\n").unwrap();
    let telemetry = Telemetry::start(options(AccessLog::File(path.clone()))).unwrap();
    thread::scope(|scope| {
        for worker in 0..4 {
            let telemetry = &telemetry;
            scope.spawn(move || (0..500).for_each(|_| telemetry.emit(worker, samples::rejected())));
        }
    });
    telemetry.shutdown();
    telemetry.shutdown();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2_001);
    assert!(text.starts_with("before\n"), "appended, not overwritten");
    assert!(text.lines().skip(1).all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    drop(Telemetry::start(options(AccessLog::File(path.clone()))).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("missing").join("access.log");
    let text = Telemetry::start(options(AccessLog::File(path.clone()))).unwrap_err().to_string();
    assert!(text.starts_with(&format!("cannot open the access log '{}': ", path.display())), "{text}");
}

#[test]
fn after_rotation_lines_go_to_the_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, rotated) = (dir.path().join("access.log"), dir.path().join("access.log.1"));
    let metrics = metrics();
    let pipeline = &metrics.shared().pipeline;
    let mut output = Output::open(AccessLog::File(path.clone())).unwrap();
    let line = |output: &mut Output| {
        output.add(&samples::rejected(), pipeline);
        output.flush(pipeline);
    };
    line(&mut output);
    std::fs::rename(&path, &rotated).unwrap();
    line(&mut output);
    output.reopen();
    line(&mut output);
    let lines = |path| std::fs::read_to_string(path).unwrap().lines().count();
    assert_eq!((lines(&rotated), lines(&path)), (2, 1));
    // A place that has become impossible: the old file goes on.
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    output.reopen();
    line(&mut output);
    assert_eq!(dropped(&metrics), 0);
}

#[test]
fn reopening_is_passed_on_to_the_writer() {
    let dir = tempfile::tempdir().unwrap();
    let (path, rotated) = (dir.path().join("access.log"), dir.path().join("access.log.1"));
    let telemetry = Telemetry::start(options(AccessLog::File(path.clone()))).unwrap();
    std::fs::rename(&path, &rotated).unwrap();
    telemetry.reopen();
    let deadline = Instant::now() + Duration::from_secs(10);
    while !path.exists() {
        assert!(Instant::now() < deadline, "never opened anew");
        thread::yield_now();
    }
}

/// A disk that hangs: says when a write has begun, and ends it when told to.
struct Hanging {
    begun: SyncSender<()>,
    go_on: Receiver<()>,
}

impl Write for Hanging {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.begun.try_send(());
        let _ = self.go_on.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn while_the_disk_hangs_a_bounded_number_waits_and_the_rest_is_counted() {
    let (begun_sender, begun) = sync_channel(1);
    let (go_on_sender, go_on) = sync_channel(0);
    let output = Output::to_writer(Hanging { begun: begun_sender, go_on });
    let metrics = metrics();
    let telemetry = Telemetry::start_with(output, None, 2, Arc::clone(&metrics)).unwrap();
    telemetry.emit(0, samples::rejected());
    begun.recv().unwrap();
    // The writer is stuck and its lists are empty: from here on it is arithmetic.
    for _ in 0..RECORDS_PER_WORKER_MAX + 10 {
        telemetry.emit(0, samples::rejected());
    }
    telemetry.emit(1, samples::rejected());
    let (lost, shown) = (dropped(&metrics), metrics.render());
    drop(go_on_sender);
    telemetry.shutdown();
    assert_eq!(lost, 10, "one worker's flood does not take the other's room");
    assert!(shown.contains("wellhead_access_records_dropped_total 10\n"));
    assert_eq!(dropped(&metrics), 10);
}

/// A disk that is full.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_that_cannot_be_written_are_counted_and_nothing_stops() {
    let metrics = metrics();
    let telemetry = Telemetry::start_with(Output::to_writer(Full), None, 1, Arc::clone(&metrics)).unwrap();
    for _ in 0..100 {
        telemetry.emit(0, samples::rejected());
    }
    telemetry.shutdown();
    assert_eq!(dropped(&metrics), 100);
    assert!(metrics.shared().pipeline.write_errors.load(SeqCst) >= 1);
}

#[test]
fn switched_off_nothing_is_written_and_nothing_counted() {
    let options = options(AccessLog::Off);
    let metrics = Arc::clone(&options.metrics);
    let telemetry = Telemetry::start(options).unwrap();
    telemetry.emit(0, samples::rejected());
    telemetry.shutdown();
    assert_eq!(dropped(&metrics), 0);
}
