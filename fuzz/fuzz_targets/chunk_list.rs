#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_fuzz_formats::chunk_list::check(data));
