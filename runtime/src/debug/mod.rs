//! Looking at a runtime: its tasks, what they wait for, what they cost.
