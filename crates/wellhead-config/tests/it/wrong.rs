//! The table of wrong files. Each file says itself where it is wrong: a comment `#! words` at the end of a line means
//! an error in that line whose message contains the words; `#!7 words` anywhere means an error in line 7.

use std::collections::{BTreeMap, BTreeSet};

use wellhead_config::{Severity, render};

use crate::support::{errors, files, folder, try_load};

/// Line → words that its messages have to contain.
fn promised(text: &str) -> BTreeMap<u32, Vec<String>> {
    let mut promised: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let Some((_, note)) = line.split_once("#!") else { continue };
        let digits: String = note.chars().take_while(char::is_ascii_digit).collect();
        let line =
            if digits.is_empty() { u32::try_from(index).unwrap() + 1 } else { digits.parse().unwrap() };
        for words in note[digits.len()..].split(" && ") {
            promised.entry(line).or_default().push(words.trim().to_owned());
        }
    }
    promised
}

#[test]
fn every_wrong_file_is_refused_with_all_its_errors_at_their_lines() {
    let files = files(&folder("wrong"));
    assert!(files.len() >= 40, "only {} wrong files", files.len());
    let complaints: Vec<String> = files.iter().filter_map(|(name, text)| complaint(name, text)).collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What differs between what a file promises and what is said about it.
fn complaint(name: &str, text: &str) -> Option<String> {
    let errors = errors(text);
    let promised = promised(text);
    assert!(!promised.is_empty(), "{name} does not say where it is wrong");
    let mut said: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for error in &errors {
        said.entry(error.line).or_default().push(error.to_string());
    }
    let lines = |map: &BTreeMap<u32, Vec<String>>| {
        map.iter().map(|(line, all)| (*line, all.len())).collect::<Vec<_>>()
    };
    let missing =
        |line: &u32, words: &String| !said.get(line).is_some_and(|all| all.iter().any(|m| m.contains(words)));
    let missing: Vec<(&u32, &String)> = promised
        .iter()
        .flat_map(|(line, all)| all.iter().map(move |words| (line, words)))
        .filter(|(line, words)| missing(line, words))
        .collect();
    (lines(&promised) != lines(&said) || !missing.is_empty())
        .then(|| format!("== {name}: not said: {missing:?}\n{}", render(&errors)))
}

#[test]
fn every_message_is_as_it_was_reviewed() {
    let files = files(&folder("wrong"));
    for (name, text) in &files {
        let all = try_load(text).unwrap_err();
        let rendered = render(&all);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".yaml").to_owned(), rendered);
        });
    }
    let kept = std::fs::read_dir(folder("it/snapshots")).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        name.strip_suffix(".snap").map(str::to_owned)
    });
    let known: BTreeSet<String> =
        files.iter().map(|(name, _)| name.trim_end_matches(".yaml").to_owned()).collect();
    let orphans: Vec<String> = kept.filter(|name| !known.contains(name)).collect();
    assert!(orphans.is_empty(), "snapshots without a wrong file: {orphans:?}");
}

#[test]
fn a_message_for_machines_says_the_same_as_one_for_people() {
    let text = "version: 1\nmodels:\n  chat:\n    targets: [{ provider: frist, model: m }]\nproviders:\n  first: { kind: ollama }\n";
    let errors = errors(text);
    assert_eq!(errors.len(), 1);
    let (json, error) = (serde_json::to_value(&errors[0]).unwrap(), &errors[0]);
    assert_eq!(error.severity, Severity::Error);
    assert_eq!(json["file"], "wellhead.yaml");
    assert_eq!((json["line"].as_u64(), json["column"].as_u64()), (Some(4), Some(27)));
    assert_eq!(json["path"], "models.chat.targets[0].provider");
    assert_eq!(json["severity"], "error");
    assert_eq!(json["suggestion"], "first");
    let people = "wellhead.yaml:4:27: error: models.chat.targets[0].provider: no provider \"frist\"";
    assert!(error.to_string().starts_with(people), "{error}");
    assert!(error.to_string().ends_with("did you mean \"first\"?"), "{error}");
    let render = error.render();
    let lines: Vec<&str> = render.lines().collect();
    assert_eq!(lines[2], "4 |     targets: [{ provider: frist, model: m }]");
    assert_eq!(lines[3].find('^'), lines[2].find("frist"), "the caret is below the word\n{render}");
}
