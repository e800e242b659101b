//! The table of signals: what vendors say when they do not answer, and what it means.
//!
//! The first row that fits counts, so the order matters: first what one vendor means otherwise than all others, then
//! codes, which are compared whole, then phrases, which are searched, each long enough not to occur in a message about
//! something else; last the statuses, which every error has. A row is one fact with the way in which it is known: to
//! correct a vendor is to change a row. The page docs/reference/signals.md is this table.

mod access;
mod filter;
mod length;
mod limit;
mod load;
mod money;
mod special;
mod status;

use super::row::Row;

/// All rows, in the order in which they are looked for.
pub(super) const TABLES: [&[Row]; 14] = [
    special::ROWS,
    load::CODES,
    limit::TOO_LARGE,
    money::CODES,
    length::CODES,
    filter::CODES,
    access::CODES,
    limit::CODES,
    money::PHRASES,
    length::PHRASES,
    filter::PHRASES,
    access::PHRASES,
    load::PHRASES,
    status::ROWS,
];
