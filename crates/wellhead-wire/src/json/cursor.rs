//! A pull parser over one JSON text. The caller says what to look into and what to skip; either way every byte is
//! checked once. Skipping does not recurse, so hostile nesting costs no stack.

use super::{ScanError, Text};
use std::ops::Range;

/// Levels of arrays and objects. `serde_json` refuses the 128th.
pub const NESTING_MAX: u32 = 127;

/// Numbers longer than this, or with a large exponent, may not fit an `f64` and are checked by parsing them.
const PLAIN_NUMBER_BYTES_MAX: usize = 200;

const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// A position in a JSON text.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Cursor<'a> {
    /// Starts at the first byte. Fails where the text stops being UTF-8.
    pub fn new(text: &'a [u8]) -> Result<Self, ScanError> {
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Self { text, at: 0, depth: 0 }),
            Err(e) => Err(ScanError::Syntax { at: e.valid_up_to(), expected: "valid UTF-8" }),
        }
    }

    /// Where the cursor stands, in bytes from the start.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// The bytes of a span of this text; empty if it lies outside.
    pub fn slice(&self, span: Range<usize>) -> &'a [u8] {
        self.text.as_bytes().get(span).unwrap_or_default()
    }

    /// The same as text; empty too if the span cuts a character.
    pub(crate) fn text(&self, span: Range<usize>) -> &'a str {
        self.text.get(span).unwrap_or_default()
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips white space and shows the next byte, which tells what kind of value stands there.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.byte() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                next => return next,
            }
        }
    }

    /// Reads an object. `member` is called behind each name and must consume exactly one value.
    /// Returns the number of members.
    pub fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, Text<'a>) -> Result<(), ScanError>,
    ) -> Result<usize, ScanError> {
        self.expect(b'{', "an object")?;
        self.check_depth(0)?;
        self.depth += 1;
        let mut count = 0;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                let name = self.name()?;
                member(self, name)?;
                count += 1;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b'}') => break self.at += 1,
                    _ => return self.fail("`,` or `}` after a value in an object"),
                }
            }
        }
        self.depth -= 1;
        Ok(count)
    }

    /// Reads an array. `element` is called before each value and must consume exactly that one.
    /// Returns the number of elements.
    pub fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), ScanError>,
    ) -> Result<usize, ScanError> {
        self.expect(b'[', "an array")?;
        self.check_depth(0)?;
        self.depth += 1;
        let mut count = 0;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                element(self)?;
                count += 1;
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(b']') => break self.at += 1,
                    _ => return self.fail("`,` or `]` after a value in an array"),
                }
            }
        }
        self.depth -= 1;
        Ok(count)
    }

    /// Consumes one value. Gives it if it is a string, `None` if it is anything else.
    pub fn string_value(&mut self) -> Result<Option<Text<'a>>, ScanError> {
        if self.peek() == Some(b'"') {
            return self.string().map(Some);
        }
        self.skip().map(|_| None)
    }

    /// Checks and steps over one value of any kind; gives its span without the white space around it.
    #[inline]
    pub fn skip(&mut self) -> Result<Range<usize>, ScanError> {
        let first = self.peek();
        let start = self.at;
        if matches!(first, Some(b'{' | b'[')) {
            self.skip_nested()?;
        } else {
            self.scalar(first)?;
        }
        Ok(start..self.at)
    }

    /// A string, a number or a literal, which begins with `first`.
    #[inline]
    fn scalar(&mut self, first: Option<u8>) -> Result<(), ScanError> {
        match first {
            Some(b'"') => self.skip_string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.fail("a value"),
        }
    }

    fn skip_nested(&mut self) -> Result<(), ScanError> {
        // One bit per open level, the innermost lowest: 1 is an object. NESTING_MAX levels fit.
        let mut kinds = 0_u128;
        let mut open = 0;
        loop {
            match self.peek() {
                Some(bracket @ (b'{' | b'[')) => {
                    self.at += 1;
                    self.check_depth(open)?;
                    let is_object = bracket == b'{';
                    if self.peek() == Some(if is_object { b'}' } else { b']' }) {
                        self.at += 1;
                    } else {
                        open += 1;
                        kinds = kinds << 1 | u128::from(is_object);
                        if is_object {
                            self.skip_name()?;
                        }
                        continue;
                    }
                }
                first => self.scalar(first)?,
            }
            loop {
                if open == 0 {
                    return Ok(());
                }
                let in_object = kinds & 1 == 1;
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        if in_object {
                            self.skip_name()?;
                        }
                        break;
                    }
                    Some(b'}') if in_object => self.at += 1,
                    Some(b']') if !in_object => self.at += 1,
                    _ if in_object => return self.fail("`,` or `}` after a value in an object"),
                    _ => return self.fail("`,` or `]` after a value in an array"),
                }
                kinds >>= 1;
                open -= 1;
            }
        }
    }

    /// Succeeds if nothing but white space is left.
    pub fn end(&mut self) -> Result<(), ScanError> {
        if self.peek().is_none() { Ok(()) } else { self.fail("the end of the text") }
    }

    fn fail<T>(&self, expected: &'static str) -> Result<T, ScanError> {
        Err(ScanError::Syntax { at: self.at, expected })
    }

    /// Whether one more level may open, `inner` levels below `self.depth`; the cursor stands behind the bracket.
    const fn check_depth(&self, inner: u32) -> Result<(), ScanError> {
        if self.depth + inner >= NESTING_MAX {
            return Err(ScanError::TooDeep { at: self.at - 1 });
        }
        Ok(())
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), ScanError> {
        if self.peek() != Some(byte) {
            return self.fail(expected);
        }
        self.at += 1;
        Ok(())
    }

    /// A member's name and its colon.
    #[inline]
    fn name(&mut self) -> Result<Text<'a>, ScanError> {
        let start = self.name_start()?;
        let escaped = self.skip_string()?;
        let name = self.text_from(start, escaped);
        self.expect(b':', "`:` after a member name")?;
        Ok(name)
    }

    fn skip_name(&mut self) -> Result<(), ScanError> {
        self.name_start()?;
        self.skip_string()?;
        self.expect(b':', "`:` after a member name")
    }

    #[inline]
    fn name_start(&mut self) -> Result<usize, ScanError> {
        if self.peek() == Some(b'"') { Ok(self.at) } else { self.fail("a member name in double quotes") }
    }

    fn literal(&mut self, word: &'static str) -> Result<(), ScanError> {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        if !rest.starts_with(word.as_bytes()) {
            return self.fail("`true`, `false` or `null`");
        }
        self.at += word.len();
        Ok(())
    }

    /// A string; the cursor stands on its opening quote.
    #[inline]
    fn string(&mut self) -> Result<Text<'a>, ScanError> {
        let start = self.at;
        let escaped = self.skip_string()?;
        Ok(self.text_from(start, escaped))
    }

    /// The string that opened at `start` and has just been stepped over.
    #[inline]
    fn text_from(&self, start: usize, escaped: bool) -> Text<'a> {
        Text::new(self.text(start + 1..self.at - 1), start, escaped)
    }

    /// Steps over a string; the cursor stands on its opening quote. Tells whether there are escapes in it.
    #[inline]
    fn skip_string(&mut self) -> Result<bool, ScanError> {
        self.at += 1;
        // Most strings are names and words: a step or two without a call.
        for _ in 0..2 {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let Some((word, _)) = rest.split_first_chunk() else { break };
            let Some(offset) = first_special(*word) else {
                self.at += word.len();
                continue;
            };
            self.at += offset;
            if rest.get(offset) == Some(&b'"') {
                self.at += 1;
                return Ok(false);
            }
            break;
        }
        self.skip_string_rest()
    }

    fn skip_string_rest(&mut self) -> Result<bool, ScanError> {
        let mut escaped = false;
        loop {
            self.at = plain_end(self.text.as_bytes(), self.at);
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escaped);
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return self.fail("an escape instead of a bare control character"),
                None => return self.fail("`\"` at the end of a string"),
            }
        }
    }

    fn escape(&mut self) -> Result<(), ScanError> {
        self.at += 1;
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.at += 1;
                match self.hex4()? {
                    0xdc00..=0xdfff => self.fail("no second half of a surrogate pair without its first"),
                    0xd800..=0xdbff => {
                        if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                            return self.fail("the second half of a surrogate pair");
                        }
                        self.at += 2;
                        match self.hex4()? {
                            0xdc00..=0xdfff => Ok(()),
                            _ => self.fail("the second half of a surrogate pair"),
                        }
                    }
                    _ => Ok(()),
                }
            }
            _ => self.fail("one of `\"\\/bfnrtu` after a backslash"),
        }
    }

    fn hex4(&mut self) -> Result<u32, ScanError> {
        let mut value = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit else { return self.fail("four hexadecimal digits after `\\u`") };
            value = value << 4 | digit;
            self.at += 1;
        }
        Ok(value)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let count = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        self.at += count;
        count
    }

    fn number(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        let mut suspicious = false;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else if self.digits() == 0 {
            return self.fail("a digit");
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return self.fail("a digit after the decimal point");
            }
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            let sign = self.byte();
            if matches!(sign, Some(b'+' | b'-')) {
                self.at += 1;
            }
            let digits = self.digits();
            if digits == 0 {
                return self.fail("a digit in the exponent");
            }
            suspicious = sign != Some(b'-') && digits > 2;
        }
        // Only what could overflow is parsed; the oracle is the parser that we promise to agree with.
        let number = self.slice(start..self.at);
        if (suspicious || number.len() > PLAIN_NUMBER_BYTES_MAX)
            && serde_json::from_slice::<f64>(number).is_err()
        {
            return Err(ScanError::Syntax { at: start, expected: "a number that fits a 64-bit float" });
        }
        Ok(())
    }
}

/// Where the next quote, backslash or control character from `at` on is, or the end.
#[inline]
fn plain_end(text: &[u8], at: usize) -> usize {
    let mut rest = text.get(at..).unwrap_or_default();
    while let Some((block, behind)) = rest.split_first_chunk::<32>() {
        // No branch in it, so that it is done with vector instructions.
        if block.iter().fold(false, |any, b| any | is_special(*b)) {
            break;
        }
        rest = behind;
    }
    while let Some((word, behind)) = rest.split_first_chunk() {
        if let Some(offset) = first_special(*word) {
            return text.len() - rest.len() + offset;
        }
        rest = behind;
    }
    text.len() - rest.len() + rest.iter().position(|b| is_special(*b)).unwrap_or(rest.len())
}

const fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The index of the first special byte of eight.
#[inline]
fn first_special(bytes: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(bytes);
    // With bit 1 flipped the quote, 0x22, is 0x20 and nothing else comes to lie below 0x21 but what is below 0x20:
    // one subtraction finds both. A byte's high bit is set where the subtraction borrows; borrows reach only bytes
    // above a true hit, so the lowest one is right. Bytes that had the high bit before are no hits.
    let below = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_sub(ONES);
    let hits = (below | backslash) & !word & HIGHS;
    (hits != 0).then_some((hits.trailing_zeros() / 8) as usize)
}
