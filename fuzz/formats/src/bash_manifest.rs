//! What authors of Bash packages wrote: the `[bash]` table, `basalt.toml`, `bpkg.json`, `package.sh`.

use weir_bash::manifest::{read_basalt, read_basher, read_bpkg, read_table_text};

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = read_table_text(text);
    let _ = read_basalt(text);
    let _ = read_bpkg(text);
    let _ = read_basher(text);
}

pub fn seeds() -> Vec<Vec<u8>> {
    let texts = [
        "[bash]\nslug = \"core\"\nsource = [\"pkg/src/*.sh\"]\nbin = [\"bin\"]\nenvironment = { A = \"b\" }\n\
         options = { pipefail = true }\nkeep = [\"x\"]\n",
        "[package]\ntype = 'bash'\nname = 'core'\nslug = ['core']\nversion = '0.1.0'\n[run]\n\
         dependencies = ['https://github.com/a/b.git@v0.1.0', 'a/b@v1', 'file:///x']\n\
         sourceDirs = ['pkg/src']\n[run.shellEnvironment]\nA = 'b'\n[run.setOptions]\nerrexit = 'on'\n",
        "{\"name\":\"term\",\"version\":\"0.0.1\",\"scripts\":[\"term.sh\"],\
         \"dependencies\":{\"a/b\":\"1.0\"},\"install\":\"make\",\"bin\":{\"x\":\"x.sh\"}}",
        "BINS=bin/a:bin/b\nDEPS=\"a/b@v1:c/d\"\nCOMPLETIONS='x'\nREMOVE_EXTENSION=true\nif x; then y; fi\n",
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
