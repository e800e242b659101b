//! Events on their way to the client: written at one end, taken at the other, in memory that is used again.

use bytes::Bytes;

/// A queue that is emptied before it is filled again, nearly always.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    events: Vec<Bytes>,
    taken: usize,
}

impl Queue {
    /// Where events are appended.
    pub(crate) const fn sink(&mut self) -> &mut Vec<Bytes> {
        &mut self.events
    }

    pub(crate) fn pop(&mut self) -> Option<Bytes> {
        let event = std::mem::take(self.events.get_mut(self.taken)?);
        self.taken += 1;
        if self.taken == self.events.len() {
            self.events.clear();
            self.taken = 0;
        }
        Some(event)
    }

    /// Puts events in front of all others.
    pub(crate) fn prepend(&mut self, events: Vec<Bytes>) {
        let rest = std::mem::replace(&mut self.events, events);
        self.events.extend(rest.into_iter().skip(self.taken));
        self.taken = 0;
    }

    /// Takes everything.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = Bytes> + '_ {
        std::iter::from_fn(|| self.pop())
    }
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use bytes::Bytes;

    #[test]
    fn what_goes_in_comes_out_once_and_in_order() {
        let mut queue = Queue::default();
        let event = Bytes::from_static;
        queue.sink().extend([event(b"b"), event(b"c")]);
        assert_eq!(queue.pop(), Some(event(b"b")));
        queue.sink().push(event(b"d"));
        queue.prepend(vec![event(b"a")]);
        assert_eq!(queue.take_all().collect::<Vec<_>>(), [event(b"a"), event(b"c"), event(b"d")]);
        assert_eq!(queue.pop(), None);
        queue.sink().push(event(b"e"));
        assert_eq!((queue.pop(), queue.pop()), (Some(event(b"e")), None));
    }
}
