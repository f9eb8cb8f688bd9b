//! What is told while the files of trees, and packs of them, are read.

use std::io::{self, Read};

use weir_model::Observer;

/// Some bytes were read and dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Handled {
    /// How many more.
    pub bytes: u64,
}

/// A reader that tells of what is read from it.
pub struct Watched<'o, R> {
    inner: R,
    observer: &'o dyn Observer<Handled>,
}

impl<'o, R> Watched<'o, R> {
    /// Tells `observer` of what `inner` gives.
    pub fn new(inner: R, observer: &'o dyn Observer<Handled>) -> Self {
        Self { inner, observer }
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.observer.event(&Handled { bytes: read as u64 });
        Ok(read)
    }
}
