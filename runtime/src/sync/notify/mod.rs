//! A nudge from one task to another.
