//! A project: manifest, lockfile, resolving, installing, laying out.
