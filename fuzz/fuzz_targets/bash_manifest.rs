#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_fuzz_formats::bash_manifest::check(data));
