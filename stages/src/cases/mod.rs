//! What a piece of a runtime must do, whoever wrote it: each case is a function over a small trait.

pub mod task_cell;
