//! Help, manual, completions, colours, pipes, signals, the demonstration.

use std::io::Read as _;
use std::process::Stdio;

use insta::assert_snapshot;

use crate::{empty, greeting, installed};

#[test]
fn the_overview_groups_the_commands() {
    let t = empty();
    assert_snapshot!(t.weir("--help"), @"
    $ weir --help
    A package manager and a package registry in one program

    Usage: weir [OPTIONS] <COMMAND>

    A project and its dependencies:
      init          Begin a package or a project: write `weir.toml`
      add           Add dependencies to `weir.toml`, and install them
      remove, rm    Take dependencies out of `weir.toml` and out of the project
      install, i    Install what `weir.toml` asks for, as `weir.lock` has it
      update, up    Move to the newest releases that `weir.toml` allows
      lock          Resolve, and write `weir.lock`, without installing
      run           Run a script of `weir.toml` or a command of an installed package
      env           Print the variables with which the project's packages are used
      test          Run the package's test suite, with its dependencies loaded
      bash          Load, check and bundle Bash packages
      elm           Compare what Elm packages offer

    Looking:
      tree          Draw what the project needs, and what that needs, as a tree
      list, ls      List the releases that the project uses
      why           Show how a package came into the project
      outdated      Show which dependencies have newer releases
      audit         Ask registries what is known against releases of the lockfile
      search        Find packages by words in their names, keywords and descriptions
      info          Show what is known about a package
      impact        Show what needs a release, directly or through others
      verify        Check every file of the project's releases against the lockfile

    Publishing:
      pack          Make the pack that `weir publish` would upload
      publish       Publish packages, all of them together or none
      promote       Bring a release, with what it needs, up into another registry
      approve       Approve a promotion that somebody else asked for
      import        Make a package folder of somebody's archive
      yank          Have new resolutions avoid releases; lockfiles keep them
      unyank        Take a yank back
      quarantine    Withdraw releases now, for everyone, lockfiles included
      unquarantine  Take a quarantine back
      unpublish     Take releases out of what a registry offers
      batch         Carry out many changes of a registry, all of them or none
      claim         Say to whom an owner (the part before the `/`) belongs

    Packages built from source:
      repo          Keep a registry of packages that are built from recipes
      build         Build packages from recipes without publishing them
      sysroot       Lay built packages out for compilers
      root          Make and look at the systems that packages are built in

    Registries and the store:
      registry      Make, name, look at and keep registries
      policy        Show, check, change and question the policies of a registry
      advisory      Say what is known against releases, and look at it
      storage       Show who holds how much of a registry, or say how much they may
      store         Look at, check and clean what this machine keeps
      prefetch      Fetch what this machine is likely to want without a network

    A server:
      serve         Serve registries over HTTP
      login         Sign in to a server
      logout        Sign out of a server
      whoami        Show who you are to a server
      token         Make, list and revoke tokens, by which programs act for you
      trust         Say which programs may publish without a secret of their own
      user          Invite users to a server, and say in which groups they are
      webhook       Have others be told what happens on a server
      activity      Show who did what on a server, and what was refused
      downloads     Show how often a package was downloaded

    Weir itself:
      demo          Show the whole thing at work, in a temporary folder
      completions   Print a script that completes `weir` in a shell
      man           Print a page of the manual, or write all of them into a folder

    Options:
          --offline              Use no network: only what is synced and cached already
          --registry <REGISTRY>  The registry to use: a name, a folder or an address
      -C, --directory <FOLDER>   The project's folder, instead of the nearest one at or above here
          --json                 Print the result as one JSON document
      -q, --quiet                Print what was asked for and errors, but not what is done
      -v, --verbose              Tell what is done while it is done
          --color <WHEN>         When to use colours: auto, always or never
      -h, --help                 Print help
      -V, --version              Print version

    `weir help COMMAND`, or `weir COMMAND --help`, says more about a command.
    `weir demo` shows the whole thing at work in a temporary folder.
    ");
    assert_eq!(t.weir("help").stdout, t.weir("--help").stdout);
    assert_eq!(t.weir("").code, 2);
}

#[test]
fn a_command_is_explained_with_examples() {
    let t = empty();
    assert_snapshot!(t.weir("help add"), @r#"
    $ weir help add
    Add dependencies to `weir.toml`, and install them

    Without a range, the newest version that fits is taken and `^` of it written. Comments and order of
    `weir.toml` stay.

    Usage: weir add [OPTIONS] <PACKAGE>...

    Arguments:
      <PACKAGE>...
              Packages, `owner/name` or `owner/name@RANGE`; with `--reference`, the address of the data

    Options:
          --dev
              Needed only to work on this package

          --build
              Needed only to build this package

          --fluid
              May move within its range without a new release of this package

          --path <FOLDER>
              From a folder, instead of a registry

          --git <URL>
              From a git repository, instead of a registry

          --tag <TAG>
              The tag of the git repository

          --set <FIELD = VALUE>
              What the manifest of the tag is to say, over its own, or where it has none over what is
              guessed: a line of TOML such as `bash.source = ["z.sh"]`; may be repeated

          --reference <NAME>
              Not a package but an external file, under this name

          --unpack
              The data is an archive to be unpacked

          --global
              What you installed for yourself with `weir install --global`, instead of what a project
              uses

          --no-dev
              Leave out `[dev-dependencies]`

          --platform <PLATFORM>
              The platform, such as `x86-64-debian-12`, instead of this machine's

      -n, --dry-run
              Show what would be done, and do nothing

      -h, --help
              Print help (see a summary with '-h')

    Global options:
          --offline
              Use no network: only what is synced and cached already

          --registry <REGISTRY>
              The registry to use: a name, a folder or an address

      -C, --directory <FOLDER>
              The project's folder, instead of the nearest one at or above here

          --json
              Print the result as one JSON document

      -q, --quiet
              Print what was asked for and errors, but not what is done

      -v, --verbose
              Tell what is done while it is done

          --color <WHEN>
              When to use colours: auto, always or never

    Examples:
      weir add acme/str
      weir add acme/str@^1.4 acme/term@=0.6.3
      weir add --dev acme/check
      weir add acme/str --path ../str
      weir add acme/str --git https://git.example/str.git --tag v1.4.2
      weir add --reference corpus https://data.example/corpus.tar.zst --unpack
    "#);
    assert_eq!(t.weir("help registry add").stdout, t.weir("registry add --help").stdout);
}

#[test]
fn every_command_has_a_page_of_the_manual_with_an_example() {
    let t = empty();
    let run = t.weir("man --out pages").succeeds();
    assert!(run.stdout.starts_with("Wrote "), "{run}");
    for page in ["weir", "weir-install", "weir-registry-add", "weir-store-gc"] {
        let title = format!(".TH {} 1 20", page.to_uppercase());
        assert!(t.read(format!("app/pages/{page}.1")).contains(&title), "{page}");
    }
    assert!(t.weir("man install").stdout.contains("weir install \\-\\-locked"));
    assert_snapshot!(t.weir("man registri"), @r"
    $ weir man registri
    -- stderr
      × `weir` has no command `registri`
      help: did you mean `registry`?
    -- exit code 2
    ");
}

#[test]
fn every_shell_gets_its_completions() {
    let t = empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        // It calls the program again: which names there are is known only when somebody types.
        assert!(t.weir(&format!("completions {shell}")).stdout.contains("_WEIR_COMPLETE"), "{shell}");
    }
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let t = installed();
    assert!(!t.weir("tree").stdout.contains('\u{1b}'));
    assert!(t.weir("tree --color always").stdout.contains('\u{1b}'));
    assert!(!t.weir("tree --color never").stdout.contains('\u{1b}'));
}

#[test]
fn a_result_is_one_json_document() {
    let t = greeting();
    t.project(&["acme/greet = ^1"]);
    for typed in
        ["install --json", "tree --json", "list --json", "search acme --json", "registry list --json"]
    {
        let run = t.weir(typed).succeeds();
        let document: Result<serde_json::Value, _> = serde_json::from_str(&run.stdout);
        assert!(document.is_ok(), "{run}");
    }
}

#[test]
fn a_reader_who_leaves_is_no_error() {
    // The longest output there is: more than fits into a pipe that nobody reads.
    let t = empty();
    let mut child = t
        .command("app", &["completions".into(), "powershell".into()], &[])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut first = [0; 1];
    let mut stdout = child.stdout.take().expect("it is piped");
    stdout.read_exact(&mut first).expect("it writes");
    drop(stdout);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn the_demonstration_plays_to_its_end_and_leaves_nothing() {
    let t = empty();
    t.write("tmp/.keep", "");
    let temporary = t.path("tmp").display().to_string();
    let run = t.weir_with("", "demo", &[("TMPDIR", &temporary)]).succeeds();
    assert!(run.stdout.contains("Where to look next"), "{run}");
    let left = fs_err::read_dir(t.path("tmp")).expect("it is there").count();
    assert_eq!(left, 1, "only what the test put there is left");
    assert!(!t.path("home/weir").exists(), "the user's home is not touched");
}

/// What may lie anywhere has every address in its tables filled in at each start, see decision 0121.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[test]
fn the_program_has_a_fixed_address() {
    const EXECUTABLE: [u8; 2] = [2, 0];
    let mut header = [0; 18];
    fs_err::File::open(env!("CARGO_BIN_EXE_weir")).unwrap().read_exact(&mut header).unwrap();
    assert_eq!(header[..4], *b"\x7fELF");
    assert_eq!(header[16..], EXECUTABLE, "the type of the file, as ELF spells it");
}

#[test]
fn help_fits_terminals_of_any_width_and_breaks_no_word() {
    let t = empty();
    let words_of = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    for typed in [
        "--help",
        "add --help",
        "install --help",
        "repo --help",
        "registry add --help",
        "root create --help",
        "publish -h",
    ] {
        let wide = t.weir_with("", typed, &[("COLUMNS", "1000")]).succeeds().stdout;
        for columns in [40, 80, 120] {
            let help = t.weir_with("", typed, &[("COLUMNS", &columns.to_string())]).succeeds().stdout;
            for line in help.lines() {
                // A word that is longer than the line stands alone in it, behind its indent. How a command is called is one
                // line.
                let is_whole = line.trim_start().split(' ').count() == 1 || line.starts_with("Usage:");
                assert!(line.chars().count() <= columns || is_whole, "{typed} at {columns}: `{line}`");
            }
            assert_eq!(words_of(&help), words_of(&wide), "{typed} at {columns}");
        }
    }
}

#[test]
fn pages_of_the_manual_have_a_day_and_the_version() {
    let t = empty();
    let page = t.weir_with("", "man install", &[("SOURCE_DATE_EPOCH", "1700000000")]).succeeds().stdout;
    let title = format!(".TH WEIR-INSTALL 1 2023-11-14 \"weir {}\" Weir", env!("CARGO_PKG_VERSION"));
    assert!(page.contains(&title), "{page}");
    let again = t.weir_with("", "man install", &[("SOURCE_DATE_EPOCH", "1700000000")]).succeeds().stdout;
    assert_eq!(page, again);
    // Without it, the day is today's.
    let page = t.weir("man install").succeeds().stdout;
    assert!(page.contains(".TH WEIR-INSTALL 1 20"), "{page}");
}
