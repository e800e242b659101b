//! Which of several places was used longest ago: a list through a table.

/// No neighbour.
const NONE: usize = usize::MAX;

#[derive(Debug, Clone, Copy)]
struct Links {
    newer: usize,
    older: usize,
}

/// The list. Places are small numbers that the caller gives out and takes back.
#[derive(Debug)]
pub(super) struct Order {
    links: Vec<Links>,
    newest: usize,
    oldest: usize,
}

impl Default for Order {
    fn default() -> Self {
        Self { links: Vec::new(), newest: NONE, oldest: NONE }
    }
}

impl Order {
    /// The place that was used longest ago.
    pub(super) fn oldest(&self) -> Option<usize> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Makes a place that is not in the list the newest.
    pub(super) fn add(&mut self, place: usize) {
        while self.links.len() <= place {
            self.links.push(Links { newer: NONE, older: NONE });
        }
        let newest = std::mem::replace(&mut self.newest, place);
        if let Some(links) = self.links.get_mut(place) {
            *links = Links { newer: NONE, older: newest };
        }
        match self.links.get_mut(newest) {
            Some(links) => links.newer = place,
            None => self.oldest = place,
        }
    }

    /// Makes a place of the list the newest.
    pub(super) fn touch(&mut self, place: usize) {
        self.remove(place);
        self.add(place);
    }

    /// Takes a place out of the list.
    pub(super) fn remove(&mut self, place: usize) {
        let Some(Links { newer, older }) = self.links.get(place).copied() else { return };
        match self.links.get_mut(newer) {
            Some(links) => links.older = older,
            None => self.newest = older,
        }
        match self.links.get_mut(older) {
            Some(links) => links.newer = newer,
            None => self.oldest = newer,
        }
    }
}
