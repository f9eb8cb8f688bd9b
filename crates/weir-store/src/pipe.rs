//! A pack made while it is read, in a thread of its own: what copies a folder into the store, so that
//! every byte is checked against the manifest on its way, as a downloaded one's are.

use std::io::{self, PipeReader, Read};
use std::path::PathBuf;
use std::thread::{self, JoinHandle};

use weir_tree::{TreeError, TreeManifest};

/// zstd's fastest: the bytes go no further than this process.
const LEVEL: i32 = 1;

/// The reading end. What the writer fails with is reported where its bytes end.
pub(crate) struct Pipe {
    reader: Option<PipeReader>,
    writer: Option<JoinHandle<Result<(), TreeError>>>,
}

impl Pipe {
    /// Packs the files of `folder` that `manifest` lists.
    pub(crate) fn pack(folder: PathBuf, manifest: TreeManifest) -> io::Result<Self> {
        let (reader, out) = io::pipe()?;
        let writer = thread::Builder::new()
            .name("pack".into())
            .spawn(move || weir_tree::write_pack(&folder, &manifest, out, LEVEL).map(drop))?;
        Ok(Self { reader: Some(reader), writer: Some(writer) })
    }

    fn finish(&mut self) -> io::Result<()> {
        match self.writer.take().map(JoinHandle::join) {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(io::Error::other(error)),
            Some(Err(_)) => Err(io::Error::other("the packing thread panicked")),
        }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.reader.as_mut().map_or(Ok(0), |reader| reader.read(buffer))?;
        if got == 0 && !buffer.is_empty() {
            self.finish()?;
        }
        Ok(got)
    }
}

impl Drop for Pipe {
    /// A writer whose reader is gone stops at its next write.
    fn drop(&mut self) {
        drop(self.reader.take());
        let _ = self.finish();
    }
}
