//! Permits: so many at once, first come first served.
