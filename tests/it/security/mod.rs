//! What must not leak, must not be reachable, and must not be believed.

mod admin;
mod clouds;
mod first_run;
mod framing;
mod leaks;
mod origin;
