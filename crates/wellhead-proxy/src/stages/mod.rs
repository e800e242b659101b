//! The stages of a request, one file each; their order is in `pipeline`.

pub(crate) mod admit;
pub(crate) mod attempt;
pub(crate) mod hedge;
pub(crate) mod hold;
pub(crate) mod identify;
pub(crate) mod queue;
pub(crate) mod receive;
pub(crate) mod route;
