//! The newest value, for whoever looks.
