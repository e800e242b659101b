//! All models, by the list of their kind. Nothing is parsed before it is asked for: a list is sorted text, and a model is
//! found in it by bisection, so that the catalogue costs neither time nor memory at start.

mod lists;

use std::sync::Arc;

use crate::error::CatalogError;
use crate::kind::Kind;
use crate::model::{self, COLUMNS, Model, Prices};
use lists::LISTS;

/// Lists of models.
#[derive(Debug, Clone, Copy)]
pub struct Models {
    lists: &'static [(&'static str, &'static str)],
}

impl Models {
    /// The models that this build carries.
    pub const BUILTIN: Self = Self { lists: LISTS };

    /// What is known of a vendor's model, by the name that the vendor gives it. A dated snapshot that is not listed
    /// (`gpt-9-2031-01-31`) has the facts of the model without the date, but no prices: those may differ. `None` for
    /// everything else; nothing is guessed.
    pub fn find(&self, kind: &Kind, id: &str) -> Option<Model> {
        self.listed(kind, id).or_else(|| {
            let family = self.listed(kind, undated(id)?)?;
            Some(Model {
                id: id.into(),
                prices: Prices::default(),
                deprecated: None,
                family: Some(Arc::clone(&family.id)),
                ..family
            })
        })
    }

    fn listed(&self, kind: &Kind, id: &str) -> Option<Model> {
        kind.lists().find_map(|list| {
            let line = line_of(self.text(list)?, id)?;
            // The tests of this crate read every line of what a build carries.
            model::read(line).ok()
        })
    }

    /// The lists' names, sorted.
    pub fn lists(&self) -> impl Iterator<Item = &'static str> {
        self.lists.iter().map(|(name, _)| *name)
    }

    /// Every model of a list, in order of name; nothing for a list that does not exist.
    pub fn of_list(&self, list: &str) -> impl Iterator<Item = Model> {
        let lines = self.text(list).unwrap_or_default().lines().skip(1);
        lines.filter_map(|line| model::read(line).ok())
    }

    /// Every model that a kind sells, list by list.
    pub fn of_kind(&self, kind: &Kind) -> impl Iterator<Item = Model> {
        kind.lists().flat_map(|list| self.of_list(list))
    }

    /// Checks every line of every list, and that it is where bisection finds it.
    ///
    /// # Errors
    /// The first thing that is wrong, with file and line.
    pub fn check(&self) -> Result<(), CatalogError> {
        self.lists.iter().try_for_each(|(name, text)| check_list(&format!("catalog/models/{name}.csv"), text))
    }

    fn text(&self, list: &str) -> Option<&'static str> {
        let found = self.lists.binary_search_by_key(&list, |(name, _)| name).ok()?;
        self.lists.get(found).map(|(_, text)| *text)
    }
}

/// Checks one file.
fn check_list(file: &str, text: &str) -> Result<(), CatalogError> {
    let header = text.lines().next().unwrap_or_default();
    if header != COLUMNS {
        return Err(CatalogError::at(file, text, 0, format!("the first line has to be: {COLUMNS}")));
    }
    let mut offset = header.len() + 1;
    let mut last: Option<Arc<str>> = None;
    for line in text.lines().skip(1) {
        let model = model::read(line).map_err(|problem| CatalogError::at(file, text, offset, problem))?;
        if last.as_ref().is_some_and(|last| last.as_bytes() >= model.id.as_bytes()) {
            let message =
                format!("model \"{}\": lines are sorted by name, and each name is given once", model.id);
            return Err(CatalogError::at(file, text, offset, message));
        }
        last = Some(model.id);
        offset += line.len() + 1;
    }
    Ok(())
}

/// The line whose first field is `id`, by bisection over the lines behind the header.
fn line_of<'a>(text: &'a str, id: &str) -> Option<&'a str> {
    let bytes = text.as_bytes();
    let feed = |from: usize| bytes.get(from..)?.iter().position(|&b| b == b'\n').map(|at| from + at);
    let (mut low, mut high) = (feed(0)? + 1, bytes.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let before = bytes.get(low..middle)?.iter().rposition(|&b| b == b'\n');
        let start = before.map_or(low, |at| low + at + 1);
        let end = feed(middle).unwrap_or(bytes.len());
        let line = text.get(start..end)?;
        match line.split(',').next()?.as_bytes().cmp(id.as_bytes()) {
            std::cmp::Ordering::Equal => return Some(line),
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    None
}

/// A name without the date at its end: `-2024-08-06`, `-20250929`, `@20250929`. `None` where there is none.
fn undated(id: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let cut = |length: usize| id.len().checked_sub(length).and_then(|at| id.split_at_checked(at));
    if let Some((name, date)) = cut(11)
        && date.starts_with('-')
        && date.get(1..).is_some_and(model::is_date)
    {
        return Some(name).filter(|name| !name.is_empty());
    }
    let (name, date) = cut(9)?;
    let day = date.strip_prefix(['-', '@']).filter(|day| digits(day) && day.starts_with("20"))?;
    let spelt = format!("{}-{}-{}", day.get(..4)?, day.get(4..6)?, day.get(6..)?);
    Some(name).filter(|name| !name.is_empty() && model::is_date(&spelt))
}

#[cfg(test)]
mod tests;
