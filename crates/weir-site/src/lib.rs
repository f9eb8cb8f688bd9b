//! A registry as a folder of pages: for any static web server, at any address.
//!
//! The pages are those of a server ([`weir_web`]), as far as they are for reading: the registry, its packages and releases, and the
//! list of all of them. Whatever leads to a page that is not there is no link. A search reads a compact index (`terms`) in parts.
//!
//! Nothing is in it that a reader of the registry could not have: it is made of the view and of packs that readers may have. The same registry
//! gives the same bytes. Files are replaced one by one and each in one step, the first page last, and those of the time before that are not of
//! this one are removed at the end: who reads meanwhile sees pages of one moment or the other, and one that was interrupted is made again.

mod place;
mod relative;
mod terms;
mod write;

pub use write::{MARK, Site, SiteError, Written, write_site};
