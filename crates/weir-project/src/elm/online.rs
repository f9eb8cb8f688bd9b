//! Commands that ask the public registry, answered from the registries of the project: `elm install`, `init`, `bump`, `diff` and `publish`,
//! and all of elm-json.
//!
//! The program is started with a proxy of its own, which is the package site for this one run, and with an `ELM_HOME` of these
//! registries. Afterwards `elm.json` is as it was left, and what Weir keeps beside it follows.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_elm_proxy::Proxy;
use weir_fs::Folder;
use weir_model::{PackageName, Range, Sha256, Unobserved, Version, chain};
use weir_reach::{
    Connection, Connections, ManifestRegistries, ReachError, Requirements, Session, connect, in_use,
};
use weir_wire::upstream::{Ask, Asked};

use super::npm::{meant, with_npm};
use super::site::{Answers, Meant};
use super::{ELM, REGISTRY, find_program, is_elm, version};
use crate::edit::ask_to_add;
use crate::error::ProjectError;
use crate::install::{InstallOptions, install_alone};
use crate::project::{Project, ProjectLock};
use crate::run::RunPlan;

/// What the compiler asks the public registry for, and whether `elm.json` may be another afterwards.
const ASKS: [(&str, bool); 5] =
    [("init", true), ("install", true), ("bump", false), ("diff", false), ("publish", false)];

/// A program that asks the public registry for whatever it does. It takes the proxy and the certificate from the same variables, and keeps
/// what it was told in a folder of its name, where the compiler keeps packages.
const ELM_JSON: &str = "elm-json";

/// Programs that are started in this way.
pub(super) const ASKERS: [&str; 2] = [ELM, ELM_JSON];

/// A run of a program with the registries of a project behind it.
pub struct ElmOnline {
    /// The program to be started.
    pub plan: RunPlan,
    folder: PathBuf,
    /// Held by what may change `elm.json`: two at once would each write one without what the other adds.
    alone: Option<ProjectLock>,
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
        let (command, args) = meant(command, args);
        let first = args.first().and_then(|first| first.to_str()).unwrap_or_default();
        let changes = match command.to_str() {
            Some(ELM) => ASKS.iter().find(|(name, _)| *name == first).map(|(_, changes)| *changes),
            Some(ELM_JSON) => Some(true),
            _ => None,
        };
        // What `elm init` begins need not be where `weir.toml` says which registries there are, or be what that is about.
        let around = project;
        let project = around.filter(|project| is_elm(project));
        let begins = first == "init" && project.is_none();
        let (Some(changes), true) = (changes, around.is_none() || project.is_some() || begins) else {
            return Ok(None);
        };
        let path = &with_npm(&session.owners, project.map_or(folder, |project| &project.folder), path);
        let homes = session.home.data().join("elm");
        let found = |name: &str| {
            let missing = || ProjectError::UnknownCommand { command: name.to_owned(), similar: None };
            find_program(path, &homes, name).ok_or_else(missing)
        };
        let compiler = version(&homes, &found(ELM)?)?;
        let program = found(&command.to_string_lossy())?;
        let folder = project.map_or(folder, |project| &project.folder).to_owned();
        let quiet = Session { observer: Arc::new(Unobserved), ..session.clone() };
        if !session.offline
            && let Err(error) = ask_above(&quiet, project, &folder, args)
        {
            let why = chain(&error);
            session.warn(format!("what is above was not asked, so `elm` is shown what is here: {why}"));
        }
        let connections = connected(session, around, &folder)?;
        let home = home(&homes, &connections, &compiler)?;
        let meant = Meant { project, all_of_first: session.registry.is_some() };
        let answers = Answers::new(quiet, connections, &compiler, folder.clone(), &meant)?;
        for name in answers.ambiguous() {
            session.warn(format!(
                "two registries have `{name}`, and it is not said which is meant, so `elm` is not shown it: say it this once with `weir --registry …`, or with `registry` in `weir.toml`"
            ));
        }
        let proxy = Proxy::begin(Arc::new(answers)).map_err(std::io::Error::other)?;
        let authority = tempfile::tempdir_in(&homes)?;
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
        let alone = if changes { Some(ProjectLock::wait(session, &folder)?) } else { None };
        Ok(Some(Self { plan, folder, alone, proxy, _authority: authority }))
    }

    /// What there is to do once the compiler has ended, well or not: Weir's own files follow `elm.json`.
    ///
    /// # Errors
    ///
    /// When what `elm.json` asks for now cannot be installed.
    pub fn finish(self, session: &Session, went_well: bool) -> Result<(), ProjectError> {
        let program = Path::new(&self.plan.program).file_name().unwrap_or_default().display();
        for place in self.proxy.refused() {
            session.warn(format!("`{program}` wanted to reach `{place}`, and was not let: Weir answers for the package site, and for nothing else"));
        }
        drop(self.proxy);
        if let Some(alone) = self.alone.filter(|_| went_well)
            && self.folder.join(weir_elm::FILE_NAME).is_file()
        {
            install_alone(session, &self.folder, &InstallOptions::default(), &alone)?;
        }
        Ok(())
    }
}

/// What `elm init` begins an application with.
const BEGUN_WITH: [&str; 3] = ["elm/browser", "elm/core", "elm/html"];

/// Has the registries admit what the compiler is about to choose of what is above them: it chooses by itself, of what it is shown.
fn ask_above(
    session: &Session,
    project: Option<&Project>,
    folder: &Path,
    args: &[OsString],
) -> Result<(), ProjectError> {
    let (command, words) = args.split_first().map_or((None, args), |(first, rest)| (first.to_str(), rest));
    if let Some(project) = project {
        let named = words.iter().filter(|_| command == Some("install")).filter_map(|word| word.to_str());
        // What elm-json is told may have a version behind it.
        let named = named.filter_map(|word| word.split('@').next()?.parse().ok());
        let named: Vec<PackageName> = named.collect();
        return ask_to_add(session, project, &named);
    }
    let nothing = BTreeMap::new();
    let connections = Connections::of(session, ManifestRegistries { folder, named: &nothing })?;
    let wanted = BEGUN_WITH.iter().filter_map(|name| name.parse().ok());
    let required = wanted.map(|name| (Asked { name, range: Range::any(), fluid: false }, None)).collect();
    connections.ask(&Requirements { required, ask: Ask { platform: session.platform(), ..Ask::default() } });
    connections.failed_to_ask().map_or(Ok(()), |failure| Err(failure.into()))
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
    Folder::open(&home)?.remove_tree(ELM_JSON)?;
    match fs_err::remove_file(home.join(compiler.to_string()).join("packages").join(REGISTRY)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(home),
    }
}
