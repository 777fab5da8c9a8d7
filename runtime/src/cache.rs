//! A cache with a limit, a time to live, and one load at a time for each key.
