#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| weir_fuzz_formats::elm_json::check(data));
