//! Building packages from recipes: what to build and in which order, each in a sandbox against exactly what
//! it declares, many at once.
//!
//! It knows no registry: what is offered comes as plain data, and what was built is a folder.
