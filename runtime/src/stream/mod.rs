//! Values that come one after the other.
