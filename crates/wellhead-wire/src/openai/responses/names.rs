//! Tools that stand in a namespace: a group of functions with a name and a description of its own, which only this
//! dialect has. Everywhere else they are functions whose name begins with that of their group.

use crate::chat::{Request, Tool};
use serde_json::{Map, Value};

/// Between the group and the function.
const BETWEEN: &str = "__";

/// The member of a tool's rest that says which group it belongs to.
pub(super) const GROUP: &str = "namespace";

/// The name of a function of a group, where there are no groups.
pub(super) fn flat(group: Option<&str>, name: String) -> String {
    match group {
        None => name,
        Some(group) => format!("{group}{BETWEEN}{name}"),
    }
}

/// The group of a tool, if it stands in one.
pub(super) fn group(tool: &Tool) -> Option<&Map<String, Value>> {
    tool.rest.of(super::DIALECT)?.get(GROUP)?.as_object()
}

/// Which flat names stand for a function of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names(Vec<(Box<str>, usize)>);

impl Names {
    pub(super) fn of(request: &Request) -> Self {
        let grouped = request.tools.iter().filter_map(|tool| {
            let group = group(tool)?.get("name")?.as_str()?;
            Some((tool.name()?.into(), group.len()))
        });
        Self(grouped.collect())
    }

    /// Group and name of a flat name.
    pub(super) fn split<'n>(&self, name: &'n str) -> (Option<&'n str>, &'n str) {
        let found = self.0.iter().find(|known| *known.0 == *name);
        let parts = found.and_then(|(_, at)| Some((name.get(..*at)?, name.get(at + BETWEEN.len()..)?)));
        parts.map_or((None, name), |(group, name)| (Some(group), name))
    }
}
