//! Test support: registries and projects in three lines.
