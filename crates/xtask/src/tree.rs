//! What the rules look at: the text files of the repository and the packages of the workspace, read once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand};

use crate::mask::{self, Keep};

/// Folders that hold no source: build output, installed packages, data of a local run.
const SKIPPED: [&str; 10] = [
    ".git",
    ".venv",
    ".work",
    "artifacts",
    "corpus",
    "dist",
    "node_modules",
    "target",
    "wellhead-data",
    "__pycache__",
];

/// Endings of the files that are read; others are not text that people write here.
const READ: [&str; 16] = [
    "css", "html", "js", "json", "md", "mjs", "proto", "py", "rs", "sh", "sql", "toml", "ts", "tsx", "yaml",
    "yml",
];

/// A file that a person wrote.
#[derive(Debug)]
pub(crate) struct File {
    /// Path below the root, with slashes.
    pub(crate) path: String,
    /// As it is.
    pub(crate) text: String,
    /// Rust only: code without comments, strings and tests.
    pub(crate) code: String,
    /// Rust only: code and strings without comments and tests.
    pub(crate) code_and_strings: String,
}

/// A package of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its folder below the root.
    pub(crate) folder: String,
    /// What it depends on.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// Name of the package.
    pub(crate) name: String,
    /// For tests, benches and examples only.
    pub(crate) dev: bool,
}

/// The repository.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: BTreeMap<String, File>,
    packages: BTreeMap<String, Package>,
    others: BTreeSet<String>,
}

impl Tree {
    /// Reads the repository at `root`.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        let metadata =
            MetadataCommand::new().current_dir(root).no_deps().exec().context("cargo metadata failed")?;
        for package in metadata.packages {
            let folder = package.manifest_path.parent().and_then(|p| p.strip_prefix(root).ok());
            let dependency = |d: &cargo_metadata::Dependency| Dependency {
                name: d.name.clone(),
                dev: d.kind == DependencyKind::Development,
            };
            tree.add_package(Package {
                name: package.name.to_string(),
                folder: folder.map(ToString::to_string).unwrap_or_default(),
                dependencies: package.dependencies.iter().map(dependency).collect(),
            });
        }
        tree.blank_test_files();
        Ok(tree)
    }

    fn read_folder(&mut self, root: &Path, folder: &str) -> anyhow::Result<()> {
        let absolute = root.join(folder);
        let entries =
            std::fs::read_dir(&absolute).with_context(|| format!("cannot list {}", absolute.display()))?;
        for entry in entries {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.others.insert(path.clone());
                self.read_folder(root, &path)?;
            } else if kind.is_file() {
                let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
                match std::fs::read_to_string(entry.path()) {
                    Ok(text) if READ.contains(&ending) || name == "Makefile" => self.add_file(path, text),
                    _ => drop(self.others.insert(path)),
                }
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: String, text: String) {
        let (code, code_and_strings) = if path.ends_with(".rs") {
            let code = mask::mask(&text, Keep::Code);
            let both = mask::mask(&text, Keep::CodeAndStrings);
            (mask::without_tests(&code, &code), mask::without_tests(&code, &both))
        } else {
            Default::default()
        };
        self.files.insert(path.clone(), File { path, text, code, code_and_strings });
    }

    fn add_package(&mut self, package: Package) {
        self.packages.insert(package.name.clone(), package);
    }

    /// Files of tests have no product code: their masks are emptied, so that rules about the product pass them by.
    fn blank_test_files(&mut self) {
        let mut modules: Vec<String> = Vec::new();
        for file in self.files.values().filter(|file| file.path.ends_with(".rs")) {
            let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
            let base = match name {
                "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
                _ => file.path.trim_end_matches(".rs").to_owned(),
            };
            let code = mask::mask(&file.text, Keep::Code);
            modules.extend(mask::test_modules(&code).into_iter().map(|module| format!("{base}/{module}")));
        }
        for file in self.files.values_mut() {
            let declared = modules.iter().any(|module| {
                file.path
                    .strip_prefix(module.as_str())
                    .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            });
            if declared || is_test_path(&file.path) {
                file.code.clear();
                file.code_and_strings.clear();
            }
        }
    }

    /// All files, by path.
    pub(crate) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// The Rust files of a folder.
    pub(crate) fn rust_in<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a File> {
        self.files().filter(move |file| {
            file.path.ends_with(".rs")
                && file.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The file at a path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.get(path)
    }

    /// Whether the repository has a file or a folder at this path, of whatever type.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        path.is_empty() || self.files.contains_key(path) || self.others.contains(path)
    }

    /// All packages, by name.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// A package of the workspace.
    pub(crate) fn package(&self, name: &str) -> Option<&Package> {
        self.packages.get(name)
    }

    /// Where a package declares a dependency, for messages: manifest and line.
    pub(crate) fn declared_at(&self, package: &Package, dependency: &str) -> (String, usize) {
        let path = format!("{}/Cargo.toml", package.folder);
        let text = self.file(&path).map_or("", |file| file.text.as_str());
        let is_it = |line: &str| line.split(['.', ' ', '=']).next() == Some(dependency);
        let line = text.lines().position(is_it).map_or(1, |i| i + 1);
        (path, line)
    }
}

#[cfg(test)]
impl Tree {
    /// A tree in memory: (path, text) and (package, dependencies).
    pub(crate) fn planted(files: &[(&str, &str)], packages: &[(&str, &[&str])]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add_file((*path).to_owned(), (*text).to_owned());
        }
        for (name, dependencies) in packages {
            let dependency = |name: &&str| Dependency {
                name: name.trim_start_matches("dev:").to_owned(),
                dev: name.starts_with("dev:"),
            };
            tree.add_package(Package {
                name: (*name).to_owned(),
                folder: format!("crates/{name}"),
                dependencies: dependencies.iter().map(dependency).collect(),
            });
        }
        tree.blank_test_files();
        tree
    }
}

fn is_test_path(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["tests/", "fuzz/", "bench/"].iter().any(|folder| path.starts_with(folder))
        || path.contains("/tests/")
        || path.contains("/benches/")
        || name == "tests.rs"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::Tree;

    #[test]
    fn a_module_declared_for_tests_has_no_product_code() {
        let tree = Tree::planted(
            &[
                ("crates/a/src/lib.rs", "#[cfg(test)]\nmod fakes;\nmod real;"),
                ("crates/a/src/fakes.rs", "fn planted() {}"),
                ("crates/a/src/real.rs", "fn kept() {}"),
                ("crates/a/src/real/tests.rs", "fn planted() {}"),
            ],
            &[],
        );
        let code = |path| tree.file(path).unwrap().code.as_str();
        assert_eq!(code("crates/a/src/fakes.rs"), "");
        assert_eq!(code("crates/a/src/real/tests.rs"), "");
        assert_eq!(code("crates/a/src/real.rs"), "fn kept() {}");
    }

    #[test]
    fn the_real_repository_is_read() {
        let tree = Tree::read(&crate::repository_root().unwrap()).unwrap();
        assert!(tree.package("wellhead-types").is_some_and(|p| p.folder == "crates/wellhead-types"));
        assert!(tree.file("crates/xtask/src/tree.rs").is_some());
        assert!(tree.files().all(|file| !file.path.starts_with("target/")));
    }
}
