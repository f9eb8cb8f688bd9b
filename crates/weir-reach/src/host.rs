//! The platform of the machine this runs on.

use weir_model::Platform;

/// The host's platform: its machine, and what its os-release says. `any` where that cannot be told.
pub fn platform() -> Platform {
    let Ok(text) = fs_err::read_to_string("/etc/os-release") else { return Platform::any() };
    let uname = rustix::system::uname();
    let machine = uname.machine().to_string_lossy();
    from_os_release(&machine, &text).unwrap_or_default()
}

fn from_os_release(machine: &str, text: &str) -> Option<Platform> {
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(line.trim().trim_matches(['"', '\'']).to_owned())
    };
    let release = value("VERSION_ID").unwrap_or_default();
    Platform::from_parts(machine, &value("ID")?, &release).ok()
}

#[cfg(test)]
mod tests {
    use super::from_os_release;

    #[test]
    fn the_platform_is_read_from_os_release_quoted_or_not() {
        let text = "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nID=debian\n";
        assert_eq!(from_os_release("x86_64", text).unwrap().as_str(), "x86-64-debian-12");
        assert_eq!(from_os_release("x86_64", "NAME=x\n"), None);
    }
}
