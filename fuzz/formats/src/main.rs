//! Writes the seeds of every format to `corpus/`, where `cargo fuzz` looks for them.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus");
    for format in weir_fuzz_formats::FORMATS {
        let folder = corpus.join(format.name);
        fs_err::create_dir_all(&folder)?;
        for (number, seed) in (format.seeds)().into_iter().enumerate() {
            fs_err::write(folder.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
