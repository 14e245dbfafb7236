//! Published tables, recomputed row by row. Trust: a row's verdict is the kernel's, what explains a wrong row is a guess.
//!
//! A spec names the file of a table and states what its numbers should be, for every row:
//!
//! ```text
//! data paper from "table2.csv"
//! let maurer(r) = kl_inverse(r.train_err, (r.kl_nats + ln(2*sqrt(r.n)/r.delta))/r.n)
//! claim table2 : forall r in paper.rows : round_up(maurer(r), 3) <= r.bound
//! ```
//!
//! A row that disagrees is compared with variants of the formula that contain one classic slip each ([`slips`]); a variant is named
//! where it reproduces the printed digits. That is a hint for a reader, never a proof.

pub mod judge;
pub mod sheet;
pub mod slips;
pub mod statement;

pub use judge::{Explanation, Judged, Row, judge};
pub use sheet::Sheet;
pub use statement::{RowClaim, Split, split};
