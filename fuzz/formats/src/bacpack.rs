//! Configs of a Package Context, one a line. They end in recipes that read back, or in problems.

use std::path::Path;

use weir_native::RecipeSetOptions;
use weir_native::bacpack::Context;

use crate::recipe;

pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for image in [None, Some("debian12".to_owned())] {
        let mut context = Context::new(Path::new("context"), &RecipeSetOptions { owner: None, image });
        for line in text.lines() {
            // A config is in the folder of its group, which is the name that it says.
            let name = line.split("\"Name\":\"").nth(1).and_then(|rest| rest.split('"').next());
            let group = name.filter(|name| !name.contains('/')).unwrap_or("zlib");
            context.add(&Path::new("context/package").join(group).join("config.json"), line);
        }
        let imported = context.finish();
        // Where there is a problem nothing is taken, so nothing need read back.
        if imported.problems.is_empty() {
            imported.recipes.into_iter().for_each(recipe::reads_back);
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let zlib = |debug: bool, kind: &str| {
        format!(
            r#"{{"Env":{{"A":"-Wall"}},"DependsOn":[],"Git":{{"URI":"https://h.example/zlib.git","Revision":"v1.2.11"}},"Build":{{"CMake":{{"Defines":{{"CMAKE_BUILD_TYPE":"{kind}","CMAKE_C_FLAGS":"${{A}} $B x"}},"CMakeListDir":"cmake/"}}}},"Package":{{"Name":"zlib","VersionTag":"v1.2.11","PlatformString":{{"Mode":"auto"}},"IsLibrary":true,"IsDevLib":true,"IsDebug":{debug}}},"DockerMatrix":{{"ImageNames":["debian12"]}}}}"#
        )
    };
    let meson = r#"{"DependsOn":["zlib"],"Git":{"URI":"git@h.example:a/b","Revision":"main"},"Build":{"Meson":{"Options":{"buildtype":"debug"},"Defines":{"loud":"true"}}},"Package":{"Name":"greet","VersionTag":"v2.0","PlatformString":{"Mode":"explicit","String":{}},"IsDebug":true},"DockerMatrix":{"ImageNames":["fedora40"]}}"#;
    let both = format!("{}\n{}\n{meson}\n", zlib(false, "Release"), zlib(true, "Debug"));
    vec![both.into_bytes(), zlib(false, "Debug").into_bytes(), meson.into()]
}
