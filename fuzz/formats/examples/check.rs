//! Runs the check of one format on files, without a fuzzer: `cargo run --example check -- FORMAT FILE…`.

fn main() {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let format = weir_fuzz_formats::FORMATS.iter().find(|format| format.name == name);
    let format = format.unwrap_or_else(|| panic!("no format is named `{name}`"));
    for file in words {
        (format.check)(&fs_err::read(file).unwrap());
    }
}
