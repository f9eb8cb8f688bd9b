use std::path::Path;
use std::process::Command;

use weir_model::manifest::GitTag;
use weir_tree::Limits;

use super::{address, links};
use crate::{Submodules, Take, fetch_from_repository};

fn git(folder: &Path, words: &[&str]) -> String {
    let identity =
        ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always"];
    let output = Command::new("git").current_dir(folder).args(identity).args(words).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A repository with one file, named as it is.
fn repository(at: &Path) {
    fs_err::create_dir_all(at).unwrap();
    git(at, &["init", "--quiet"]);
    let name = at.file_name().unwrap().to_str().unwrap();
    fs_err::write(at.join(format!("{name}.c")), "int x;").unwrap();
    git(at, &["add", "."]);
    commit(at);
}

/// Commits, and moves the tag `v1` here.
fn commit(at: &Path) {
    git(at, &["commit", "--quiet", "--allow-empty", "-m", "x"]);
    git(at, &["tag", "--force", "v1"]);
}

fn add_submodule(at: &Path, url: &str, path: &str) {
    git(at, &["submodule", "--quiet", "add", url, path]);
    commit(at);
}

/// A link to a commit, and a `.gitmodules`, as only a hostile git would write them.
fn forge(at: &Path, path: &str, gitmodules: &str) {
    let head = git(at, &["rev-parse", "HEAD"]);
    git(at, &["update-index", "--add", "--cacheinfo", &format!("160000,{head},{path}")]);
    fs_err::write(at.join(".gitmodules"), gitmodules).unwrap();
    git(at, &["add", ".gitmodules"]);
    commit(at);
}

/// The files that come of the tag `v1`, sorted, or why there are none.
fn fetched(place: &Path, repository: &Path, submodules: Submodules) -> Result<Vec<String>, String> {
    let store = weir_store::Store::open(&place.join("store"), weir_store::Options::default()).unwrap();
    let store = store.session().unwrap();
    let tag = GitTag { url: repository.to_str().unwrap().to_owned(), tag: "v1".into() };
    let fetched = fetch_from_repository(&store, &tag, &Take::Everything(submodules)).unwrap();
    let fetched = fetched.map_err(|complaint| complaint.reason)?;
    let manifest = store.manifest(&fetched.tree).unwrap();
    Ok(manifest.entries().iter().map(|entry| entry.path.to_string()).collect())
}

#[test]
fn submodules_come_with_their_own_at_the_commits_that_the_trees_name() {
    let place = tempfile::tempdir().unwrap();
    let [top, one, two] = ["top", "one", "two"].map(|name| place.path().join(name));
    [&top, &one, &two].into_iter().for_each(|at| repository(at));
    add_submodule(&one, "../two", "deep/two");
    add_submodule(&top, "../one", "extern/one");
    // What came later is not what was tagged.
    fs_err::write(one.join("later.c"), "").unwrap();
    git(&one, &["add", "."]);
    commit(&one);
    let with = fetched(place.path(), &top, Submodules::Included).unwrap();
    let expected =
        [".gitmodules", "extern/one/.gitmodules", "extern/one/deep/two/two.c", "extern/one/one.c", "top.c"];
    assert_eq!(with, expected);
    let without = fetched(place.path(), &top, Submodules::LeftOut).unwrap();
    assert_eq!(without, [".gitmodules", "top.c"]);
}

#[test]
fn of_a_server_that_gives_out_no_commit_by_its_name_all_branches_and_tags_are_fetched() {
    let place = tempfile::tempdir().unwrap();
    let [top, one] = ["top", "one"].map(|name| place.path().join(name));
    [&top, &one].into_iter().for_each(|at| repository(at));
    add_submodule(&top, "../one", "one");
    commit(&one);
    let repository = place.path().join("bare");
    let commit = git(&top, &["rev-parse", "HEAD:one"]);
    let url = one.to_str().unwrap();
    let mut init = crate::program::command(place.path());
    super::run(init.args(["init", "--quiet", "--bare"]).arg(&repository)).unwrap();
    super::fetch_everything(&repository, url, &commit).unwrap();
    super::write_files(&repository, &commit, &place.path().join("files"), &Limits::default()).unwrap();
    assert!(super::fetch_everything(&repository, url, &"0".repeat(40)).is_err());
}

#[test]
fn what_gitmodules_says_is_refused_where_it_would_read_this_machine_or_run_something() {
    let place = tempfile::tempdir().unwrap();
    let top = place.path().join("top");
    repository(&top);
    let text = |url: &str| format!("[submodule \"x\"]\n\tpath = x\n\turl = {url}\n");
    for (url, expected) in [
        ("/etc", "is a place on the machine of whoever builds"),
        ("file:///etc", "is a place on the machine of whoever builds"),
        ("FILE:///etc", "is a place on the machine of whoever builds"),
        ("some/where", "is a place on the machine of whoever builds"),
        ("ext::sh -c id", "makes git start another program"),
        ("\"--upload-pack=id:x\"", "it begins with `-`"),
        ("https://ann:secret@example.org/x.git", "name or password"),
        ("../../../../../../../../../../../../../../x", "leads nowhere"),
    ] {
        forge(&top, "x", &text(url));
        let refused = fetched(place.path(), &top, Submodules::Included).unwrap_err();
        assert!(refused.contains(expected) && refused.contains("`x`"), "{url}: {refused}");
    }
    forge(&top, "x", "[submodule \"y\"]\n\tpath = ../../x\n\turl = ../top\n");
    let refused = fetched(place.path(), &top, Submodules::Included).unwrap_err();
    assert_eq!(refused, "`.gitmodules` does not say where `x` comes from");
    // One to leave alone is left alone.
    forge(&top, "x", "[submodule \"x\"]\n\tpath = x\n\turl = /etc\n\tupdate = none\n");
    assert_eq!(fetched(place.path(), &top, Submodules::Included).unwrap(), [".gitmodules", "top.c"]);
}

#[test]
fn one_that_is_in_itself_ends() {
    let place = tempfile::tempdir().unwrap();
    let top = place.path().join("top");
    repository(&top);
    // Each version has the one before it as a submodule.
    for _ in 0..12 {
        forge(&top, "x", "[submodule \"x\"]\n\tpath = x\n\turl = ../top\n");
    }
    let refused = fetched(place.path(), &top, Submodules::Included).unwrap_err();
    assert_eq!(refused, "its submodules have submodules of their own more than 8 deep, such as `x`");
}

#[test]
fn a_path_that_leaves_the_tree_is_refused() {
    let id = "0".repeat(40);
    for path in ["../x", "/x", "a/../../x", ""] {
        assert!(links(&format!("160000 commit {id}\t{path}\0")).is_err(), "{path}");
    }
    let listed = format!("100644 blob {id}\ta\0160000 commit {id}\text/b\0");
    assert_eq!(links(&listed).unwrap(), [("ext/b".parse().unwrap(), id)]);
}

#[test]
fn a_link_in_the_way_of_a_submodule_is_not_followed() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("tree");
    fs_err::create_dir_all(folder.join("real")).unwrap();
    fs_err::os::unix::fs::symlink("..", folder.join("link")).unwrap();
    let parents = |path: &str| super::real_parents(&folder, &path.parse().unwrap());
    assert_eq!(parents("real/more/sub").unwrap(), folder.join("real/more/sub"));
    assert!(folder.join("real/more").is_dir() && !folder.join("real/more/sub").exists());
    assert_eq!(parents("link/sub").unwrap_err(), "a file or a link is in its way");
}

#[test]
fn a_relative_address_begins_at_that_of_its_repository() {
    for (base, url, expected) in [
        ("https://host.example/org/app.git", "../lib.git", Some("https://host.example/org/lib.git")),
        ("https://host.example/org/app.git/", "../../other/lib", Some("https://host.example/other/lib")),
        ("https://host.example/app", "./sub", Some("https://host.example/app/sub")),
        ("https://host.example/app", "../../../lib", None),
        ("https://host.example", "../lib", None),
        ("git@host.example:org/app.git", "../lib.git", Some("git@host.example:org/lib.git")),
        ("git@host.example:app.git", "../lib.git", Some("git@host.example:lib.git")),
        ("ssh://git@host.example/org/app", "../lib", Some("ssh://git@host.example/org/lib")),
        ("/srv/git/app", "../lib", Some("/srv/git/lib")),
        ("file:///srv/git/app", "../lib", Some("file:///srv/git/lib")),
        ("/srv", "../../lib", None),
    ] {
        assert_eq!(address(base, url).ok().as_deref(), expected, "{base} {url}");
    }
    let absolute = "https://elsewhere.example/lib.git";
    assert_eq!(address("/srv/git/app", absolute).as_deref(), Ok(absolute));
    assert_eq!(address("/srv/git/app", "git@host:lib.git").as_deref(), Ok("git@host:lib.git"));
}
