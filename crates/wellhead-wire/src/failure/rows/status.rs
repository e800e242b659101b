//! What is left: the status, which every error has.

use crate::failure::means::Means;
use crate::failure::row::{At, Known, Row, Sign};
use crate::failure::vendor::Vendor;

/// Every status from 400 to 599.
pub(super) const ROWS: &[Row] = &[
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::KeyRejected, Known::Specified)
        .at(&[(401, 401), (403, 403)]),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::Spent, Known::Specified).at(&[(402, 402)]),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::BadRequest, Known::Specified).at(&[(404, 404)]),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::TimedOut, Known::Specified).at(&[(408, 408)]),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::Conflict, Known::Specified).at(&[(409, 409)]),
    Row::new(Vendor::Bedrock, At::ANY, Sign::Status, Means::ServerError, Known::Specified).at(&[(424, 424)]),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::Limited, Known::Specified).at(&[(429, 429)]),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::BadRequest, Known::Specified).at(&[
        (400, 400),
        (405, 407),
        (410, 423),
        (425, 428),
        (430, 499),
    ]),
    Row::new(Vendor::LlamaCpp, At::ANY, Sign::Status, Means::NotImplemented, Known::Believed)
        .at(&[(501, 501)]),
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::Busy, Known::Specified).at(&[(503, 503)]),
    // Among them the 52x of Cloudflare, which are about the server behind it.
    Row::new(Vendor::Everyone, At::ANY, Sign::Status, Means::ServerError, Known::Specified).at(&[
        (500, 500),
        (502, 502),
        (504, 599),
    ]),
];
