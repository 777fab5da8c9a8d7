//! Work: put in by many, taken by many, waited for.
