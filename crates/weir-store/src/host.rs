//! Which machine this is, among those that may share a store.
//!
//! Two things need it: a leftover of this machine whose lock is free is certainly dead, while one of another
//! machine may belong to a process whose lock is not seen from here; and a project's folder can be looked
//! at only on the machine it lies on.

use weir_model::Sha256;

const MACHINE_ID: &str = "/etc/machine-id";

/// A machine: a token for file names, and a name for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) token: String,
    pub(crate) name: String,
}

impl Host {
    /// The machine this process runs on, told by its name and, where there is one, its machine-id(5).
    pub(crate) fn this_machine() -> Self {
        let system = rustix::system::uname();
        let name = system.nodename().to_string_lossy().into_owned();
        let id = fs_err::read(MACHINE_ID).unwrap_or_default();
        let token = Sha256::of([name.as_bytes(), b"\n", id.as_slice()].concat()).short();
        Self { token, name: name.chars().filter(|c| !c.is_control()).collect() }
    }
}
