//! Valid examples that more than one format begins with.

use std::path::Path;

use weir_model::lockfile::{LockedReference, LockedRelease, ReleaseText};
use weir_model::record::{Description, Origin, Upstream, UpstreamMode, Withdrawal};
use weir_model::{
    Action, Baked, Dependency, Digest, KindName, Lockfile, Platform, Record, Release, ReleaseId, Scope,
    TreeDigest, WithdrawalVerb,
};
use weir_tree::{Selection, TreeManifest};

/// A moment.
pub fn now() -> jiff::Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A folder with files in folders, one of them executable, and a link.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    };
    write("weir.toml", super::manifest::SMALL);
    write("bin/greet", "#!/bin/sh\necho hello\n");
    write("share/doc/read me.txt", &"all work and no play\n".repeat(50));
    write("empty", "");
    let bin = folder.path().join("bin/greet");
    fs_err::set_permissions(bin, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    fs_err::os::unix::fs::symlink("../bin/greet", folder.path().join("share/greet")).unwrap();
    folder
}

/// The tree of [`folder`].
pub fn tree(folder: &Path) -> TreeManifest {
    weir_tree::read_folder(folder, &Selection::everything()).unwrap()
}

/// The pack of a folder.
pub fn pack(folder: &Path, tree: &TreeManifest) -> Vec<u8> {
    let mut pack = Vec::new();
    weir_tree::write_pack(folder, tree, &mut pack, 1).unwrap();
    pack
}

/// A release of these files.
pub fn release(id: &str, tree: TreeDigest, needs: Option<(&str, &Release)>) -> Release {
    let mut release = Release {
        id: id.parse().unwrap(),
        kind: KindName::Bash,
        tree,
        size: 500,
        unpacked: 1200,
        files: 5,
        input_digest: Digest::from_bytes([0; 32]),
        dependencies: Vec::new(),
        references: Vec::new(),
        recipe: None,
        toolchain: None,
        license: Some("MIT".into()),
        description: Some("Says \"hello\", wörld".into()),
        kind_facts: serde_json::from_str(r#"{"slug":["greet"],"n":1}"#).unwrap(),
    };
    if let Some((range, baked)) = needs {
        release.dependencies.push(Dependency {
            name: baked.id.name.clone(),
            range: range.parse().unwrap(),
            scope: Scope::Run,
            baked: Some(Baked {
                version: baked.id.version.clone(),
                platform: Platform::any(),
                revision: baked.id.revision,
                input_digest: baked.input_digest,
            }),
        });
    }
    release.input_digest = release.compute_input_digest();
    release
}

/// Records that make a valid log.
pub fn records() -> Vec<Record> {
    let low = release("acme/low 1.0.0", Digest::of("low"), None);
    let newer = release("acme/low 1.1.0", Digest::of("newer"), None);
    let top = release("acme/top 2.0.0-rc.1", Digest::of("top"), Some(("^1", &low)));
    let withdraw = |verb, id: &ReleaseId| {
        let reason = Some("broken".into());
        Action::Withdraw(Withdrawal { verb, id: id.clone(), reason, advisory: None, because: None, from: None })
    };
    let actions = vec![
        Action::Claim { owner: "acme".parse().unwrap(), who: vec!["user:ann".into()] },
        Action::Publish { release: Box::new(low.clone().into()) },
        Action::Promote {
            release: Box::new(newer.clone().into()),
            from: Origin { registry: "team".into(), index: 3, leaf: Digest::of("leaf") },
        },
        Action::Publish { release: Box::new(top.clone().into()) },
        withdraw(WithdrawalVerb::Yank, &newer.id),
        withdraw(WithdrawalVerb::Unyank, &newer.id),
        withdraw(WithdrawalVerb::Quarantine, &top.id),
        withdraw(WithdrawalVerb::Unquarantine, &top.id),
        withdraw(WithdrawalVerb::Remove, &top.id),
        Action::Describe(Description {
            upstreams: Some(vec![Upstream {
                name: "public".into(),
                key: "public+1c2d3e4f+AbC".into(),
                mode: UpstreamMode::Mirror,
            }]),
            ..Description::default()
        }),
        Action::Upstream { registry: "public".into(), size: 7, root: Digest::of("root") },
    ];
    let record = |action| Record { v: 1, batch: "01JD".into(), at: now(), by: "user:ann".into(), action };
    actions.into_iter().map(record).collect()
}

/// A lockfile of one release with these files.
pub fn lockfile(tree: &TreeManifest, pack: u64) -> Lockfile {
    let release = release("acme/greet 1.0.0", tree.digest(), None);
    Lockfile {
        version: 1,
        direct: vec![ReleaseText(release.id.clone())],
        releases: vec![LockedRelease {
            name: release.id.name.clone(),
            version: release.id.version.clone(),
            platform: Platform::any(),
            revision: 0,
            kind: KindName::Generic,
            tree: Some(tree.digest()),
            input_digest: Some(release.input_digest),
            size: Some(pack),
            unpacked: Some(tree.unpacked_size()),
            registry: Some("org".into()),
            path: None,
            git: None,
            dependencies: Vec::new(),
            fluid: Vec::new(),
            references: vec![LockedReference {
                name: "corpus".into(),
                sha256: Digest::of("corpus"),
                size: 6,
                mirrors: vec!["https://host.example/corpus".into()],
                unpack: false,
                fluid: false,
            }],
            facts: release.kind_facts,
        }],
        references: Vec::new(),
    }
}
