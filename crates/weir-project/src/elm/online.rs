//! Commands of Elm's compiler that ask the public registry, answered from the registries of the project: `elm install`, `init`, `bump`,
//! `diff` and `publish`.
//!
//! The compiler is started with a proxy of its own, which is the package site for this one run, and with an `ELM_HOME` of these
//! registries. Afterwards `elm.json` is as the compiler left it, and what Weir keeps beside it follows.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_elm_proxy::Proxy;
use weir_model::{Sha256, Unobserved, Version};
use weir_reach::{Connection, ManifestRegistries, ReachError, Session, connect, in_use};

use super::site::Answers;
use super::{ELM, REGISTRY, find, is_elm, version};
use crate::error::ProjectError;
use crate::install::{InstallOptions, install};
use crate::project::Project;
use crate::run::RunPlan;

/// What the compiler asks the public registry for, and whether `elm.json` may be another afterwards.
const ASKS: [(&str, bool); 5] =
    [("init", true), ("install", true), ("bump", false), ("diff", false), ("publish", false)];

/// A run of the compiler with the registries of a project behind it.
pub struct ElmOnline {
    /// The program to be started.
    pub plan: RunPlan,
    folder: PathBuf,
    changes: bool,
    proxy: Proxy,
    /// The certificate that the compiler is to believe, which goes with it.
    _authority: tempfile::TempDir,
}

impl ElmOnline {
    /// Prepares `command` if it is one that asks the public registry; nothing otherwise. `folder` is where it is started, and `project`
    /// what is found there.
    ///
    /// # Errors
    ///
    /// When there is no compiler, or a registry cannot be reached.
    pub fn prepare(
        session: &Session,
        project: Option<&Project>,
        folder: &Path,
        command: &OsStr,
        args: &[OsString],
        path: &OsStr,
    ) -> Result<Option<Self>, ProjectError> {
        let first = args.first().and_then(|first| first.to_str()).unwrap_or_default();
        let asks = ASKS.iter().find(|(name, _)| *name == first).filter(|_| command == ELM);
        let (Some((_, changes)), true) = (asks, project.is_none_or(is_elm)) else { return Ok(None) };
        let homes = session.home.data().join("elm");
        let program = find(path, &homes)
            .ok_or_else(|| ProjectError::UnknownCommand { command: ELM.to_owned(), similar: None })?;
        let compiler = version(&homes, &program)?;
        let folder = project.map_or(folder, |project| &project.folder).to_owned();
        let connections = connected(session, project, &folder)?;
        let home = home(&homes, &connections, &compiler)?;
        let quiet = Session { observer: Arc::new(Unobserved), ..session.clone() };
        let answers = Answers::new(quiet, connections, &compiler, folder.clone())?;
        for name in answers.ambiguous() {
            session.warn(format!(
                "two registries have `{name}`, and it is not said which is meant: `elm` is not shown it"
            ));
        }
        let proxy = Proxy::begin(Arc::new(answers)).map_err(std::io::Error::other)?;
        let authority = tempfile::tempdir()?;
        let certificate = authority.path().join("weir.pem");
        fs_err::write(&certificate, proxy.authority())?;
        let mut env: Vec<(String, OsString)> = vec![
            ("ELM_HOME".into(), home.into()),
            // Which of the two counts depends on the compiler's version.
            ("SYSTEM_CERTIFICATE_PATH".into(), certificate.clone().into()),
            ("SSL_CERT_FILE".into(), certificate.into()),
        ];
        let address = OsString::from(proxy.address());
        for name in ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"] {
            env.push((name.into(), address.clone()));
        }
        env.extend(["no_proxy", "NO_PROXY"].map(|name| (name.into(), OsString::new())));
        let plan = RunPlan { program: program.into(), args: args.to_vec(), env };
        Ok(Some(Self { plan, folder, changes: *changes, proxy, _authority: authority }))
    }

    /// What there is to do once the compiler has ended, well or not: Weir's own files follow `elm.json`.
    ///
    /// # Errors
    ///
    /// When what `elm.json` asks for now cannot be installed.
    pub fn finish(self, session: &Session, went_well: bool) -> Result<(), ProjectError> {
        for place in self.proxy.refused() {
            session.warn(format!("`elm` wanted to reach `{place}`, and was not let: Weir answers for the package site, and for nothing else"));
        }
        drop(self.proxy);
        if went_well && self.changes && self.folder.join(weir_elm::FILE_NAME).is_file() {
            install(session, &self.folder, &InstallOptions::default())?;
        }
        Ok(())
    }
}

/// The registries of a project, or those of the user, all of them asked.
fn connected(
    session: &Session,
    project: Option<&Project>,
    folder: &Path,
) -> Result<Vec<Connection>, ProjectError> {
    let nothing = BTreeMap::new();
    let of_folder = ManifestRegistries { folder, named: &nothing };
    let known = in_use(session, project.map_or(of_folder, Project::registries))?;
    if known.is_empty() {
        return Err(ReachError::NoRegistry { wanted: "this folder".into() }.into());
    }
    known.iter().map(|known| Ok(connect(session, known)?)).collect()
}

/// Where the compiler keeps what it gets from these registries. Releases never change, so it may stay; the order in which several
/// registries are counted together may, so what the compiler noted of that goes.
fn home(homes: &Path, connections: &[Connection], compiler: &Version) -> Result<PathBuf, ProjectError> {
    let mut places = String::new();
    for connection in connections {
        let keys = connection.replica.keys();
        places.push_str(&format!("{} {keys:?}\n", connection.known.location));
    }
    let name: String = Sha256::of(places).to_hex().chars().take(32).collect();
    let home = homes.join("online").join(name);
    fs_err::create_dir_all(&home)?;
    match fs_err::remove_file(home.join(compiler.to_string()).join("packages").join(REGISTRY)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(home),
    }
}
