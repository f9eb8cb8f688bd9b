//! A remote registry over HTTP, through the same trait as a local one.
