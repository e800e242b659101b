//! The headers of a message: names and values of ten types, left where they are and read when they are asked for.

use bytes::Bytes;

/// A value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// Yes or no; types 0 and 1.
    Bool(bool),
    /// Type 2.
    Int8(i8),
    /// Type 3.
    Int16(i16),
    /// Type 4.
    Int32(i32),
    /// Type 5.
    Int64(i64),
    /// Type 6.
    Bytes(&'a [u8]),
    /// Type 7.
    Text(&'a str),
    /// Milliseconds since 1970; type 8.
    Timestamp(i64),
    /// Type 9.
    Uuid([u8; 16]),
}

/// What is wrong with the headers of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// They end within a header.
    #[error("the headers of a message end within the one at byte {at}")]
    Cut {
        /// Where that header begins.
        at: usize,
    },
    /// A name is empty or not UTF-8.
    #[error("the header at byte {at} has no name that can be read")]
    Name {
        /// Where that header begins.
        at: usize,
    },
    /// A type that the format does not have.
    #[error("the header at byte {at} has the type {kind}, which does not exist")]
    Type {
        /// Where that header begins.
        at: usize,
        /// The type.
        kind: u8,
    },
    /// A text that is not UTF-8.
    #[error("the header at byte {at} is a text that is not UTF-8")]
    Text {
        /// Where that header begins.
        at: usize,
    },
}

/// The headers of one message, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Bytes);

impl Headers {
    /// Checks that they can be taken apart.
    pub(super) fn read(bytes: Bytes) -> Result<Self, HeaderError> {
        let (mut rest, mut at) = (&bytes[..], 0);
        while !rest.is_empty() {
            let (_, _, after) = next(rest, at)?;
            at += rest.len() - after.len();
            rest = after;
        }
        Ok(Self(bytes))
    }

    /// Each name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        let mut rest = &self.0[..];
        std::iter::from_fn(move || {
            // They were taken apart once when they were read, so there is no error here.
            let (name, value, after) = next(rest, 0).ok()?;
            rest = after;
            Some((name, value))
        })
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The first value of that name, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The first header, and what follows. `at` is where it is, for the error.
fn next(bytes: &[u8], at: usize) -> Result<(&str, Value<'_>, &[u8]), HeaderError> {
    let cut = HeaderError::Cut { at };
    let (length, rest) = bytes.split_first().ok_or(cut)?;
    let (name, rest) = rest.split_at_checked(usize::from(*length)).ok_or(cut)?;
    let name = std::str::from_utf8(name).ok().filter(|name| !name.is_empty());
    let name = name.ok_or(HeaderError::Name { at })?;
    let (kind, rest) = rest.split_first().ok_or(cut)?;
    let (value, rest) = match kind {
        0 => (Value::Bool(true), rest),
        1 => (Value::Bool(false), rest),
        2 => number(rest).map(|(n, rest)| (Value::Int8(i8::from_be_bytes(n)), rest)).ok_or(cut)?,
        3 => number(rest).map(|(n, rest)| (Value::Int16(i16::from_be_bytes(n)), rest)).ok_or(cut)?,
        4 => number(rest).map(|(n, rest)| (Value::Int32(i32::from_be_bytes(n)), rest)).ok_or(cut)?,
        5 => number(rest).map(|(n, rest)| (Value::Int64(i64::from_be_bytes(n)), rest)).ok_or(cut)?,
        6 => counted(rest).map(|(bytes, rest)| (Value::Bytes(bytes), rest)).ok_or(cut)?,
        7 => {
            let (bytes, rest) = counted(rest).ok_or(cut)?;
            (Value::Text(std::str::from_utf8(bytes).map_err(|_| HeaderError::Text { at })?), rest)
        }
        8 => number(rest).map(|(n, rest)| (Value::Timestamp(i64::from_be_bytes(n)), rest)).ok_or(cut)?,
        9 => number(rest).map(|(n, rest)| (Value::Uuid(n), rest)).ok_or(cut)?,
        kind => return Err(HeaderError::Type { at, kind: *kind }),
    };
    Ok((name, value, rest))
}

/// The next `N` bytes.
fn number<const N: usize>(bytes: &[u8]) -> Option<([u8; N], &[u8])> {
    bytes.split_first_chunk::<N>().map(|(number, rest)| (*number, rest))
}

/// Bytes with their length in two bytes before them.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number::<2>(bytes)?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(length)))
}

impl Value<'_> {
    /// Its type's number and its bytes, lengths included.
    fn write(self, out: &mut Vec<u8>) -> Option<()> {
        let counted = |out: &mut Vec<u8>, kind: u8, bytes: &[u8]| {
            let length = u16::try_from(bytes.len()).ok()?;
            out.push(kind);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(bytes);
            Some(())
        };
        match self {
            Self::Bool(yes) => out.push(u8::from(!yes)),
            Self::Int8(n) => out.extend([2].into_iter().chain(n.to_be_bytes())),
            Self::Int16(n) => out.extend([3].into_iter().chain(n.to_be_bytes())),
            Self::Int32(n) => out.extend([4].into_iter().chain(n.to_be_bytes())),
            Self::Int64(n) => out.extend([5].into_iter().chain(n.to_be_bytes())),
            Self::Bytes(bytes) => counted(out, 6, bytes)?,
            Self::Text(text) => counted(out, 7, text.as_bytes())?,
            Self::Timestamp(n) => out.extend([8].into_iter().chain(n.to_be_bytes())),
            Self::Uuid(bytes) => out.extend([9].into_iter().chain(bytes)),
        }
        Some(())
    }
}

/// A header as bytes; nothing if the name is empty or name or value too long.
pub(super) fn write(name: &str, value: Value<'_>, out: &mut Vec<u8>) -> Option<()> {
    let length = u8::try_from(name.len()).ok().filter(|length| *length > 0)?;
    out.push(length);
    out.extend_from_slice(name.as_bytes());
    value.write(out)
}
