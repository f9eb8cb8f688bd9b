//! `elm.json`: what reads is written as text that reads the same, and any bytes end.

use weir_elm::ElmJson;
use weir_elm::registry_dat::{Dialect, RegistryDat};

pub fn check(data: &[u8]) {
    for dialect in [Dialect::BigEndian, Dialect::LittleEndian] {
        if let Ok(registry) = RegistryDat::read(data, dialect) {
            assert_eq!(RegistryDat::read(&registry.write(dialect), dialect).as_ref(), Ok(&registry));
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(said) = ElmJson::parse(text) else { return };
    let written = said.to_text();
    let again = ElmJson::parse(&written).expect("what is written reads");
    assert_eq!(again.to_text(), written);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "{\"type\":\"package\",\"name\":\"a/b\",\"summary\":\"x\",\"license\":\"MIT\",\"version\":\"1.0.0\",\
         \"exposed-modules\":{\"One\":[\"A\",\"A.B\"]},\"elm-version\":\"0.19.0 <= v < 0.20.0\",\
         \"dependencies\":{\"elm/core\":\"1.0.0 <= v < 2.0.0\"},\"test-dependencies\":{}}",
        "{\"type\":\"application\",\"source-directories\":[\"src\",\"../x\"],\"elm-version\":\"0.19.1\",\
         \"dependencies\":{\"direct\":{\"elm/core\":\"1.0.5\"},\"indirect\":{\"elm/json\":\"1.1.3\"}},\
         \"test-dependencies\":{\"direct\":{},\"indirect\":{}},\"more\":[1]}",
        "<<<<<<< HEAD\n{}",
    ];
    let name = "a/b".parse().expect("it is a name");
    let versions = ["1.0.0", "300.2.0"].map(|version| version.parse().expect("it is a version"));
    let registry = RegistryDat::of(versions.iter().map(|version| (&name, version)));
    let registries = [Dialect::BigEndian, Dialect::LittleEndian].map(|dialect| registry.write(dialect));
    texts.iter().map(|text| text.as_bytes().to_vec()).chain(registries).collect()
}
