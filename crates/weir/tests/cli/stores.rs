//! store path, list, verify, repair, optimise, gc, export, import.

use insta::assert_snapshot;

use crate::{empty, installed, newer};

#[test]
fn the_store_says_where_it_is_and_what_is_in_it() {
    let t = installed();
    assert_snapshot!(t.weir("store path"), @r"
    $ weir store path
    [ROOT]/home/weir/store
    ");
    assert_snapshot!(t.weir("store list"), @"
    $ weir store list
    what  digest        size       used   by
    tree  [SHORT]      263 B  today  [ROOT]/app
    tree  [SHORT]      143 B  today  [ROOT]/app
    tree  [SHORT]      141 B  today  [ROOT]/app
    ");
    assert_snapshot!(t.weir("store verify"), @r"
    $ weir store verify
    ✓ Verified 3 trees, 547 B
    ");
    assert_snapshot!(t.weir("store optimise"), @r"
    $ weir store optimise
    Looked at 6 files: 0 files shared, 0 B saved
    ");
}

#[test]
fn what_no_project_uses_is_removed() {
    let t = installed();
    newer(&t);
    t.weir("update --full").succeeds();
    assert_snapshot!(t.weir("store gc --dry-run"), @r"
    $ weir store gc --dry-run
    Would free 0 B, keep 6 items
    ");
    assert_snapshot!(t.weir("store gc --unused-for 0 --dry-run"), @"
    $ weir store gc --unused-for 0 --dry-run
    Would remove tree [SHORT] (263 B)
    Would remove tree [SHORT] (143 B)
    Would remove tree [SHORT] (141 B)
    Would free 547 B, keep 3 items
    ");
    assert_snapshot!(t.weir("store gc --unused-for 0"), @r"
    $ weir store gc --unused-for 0
    Removed 3 items (547 B), kept 3
    ");
    t.weir("install --locked --offline").succeeds();
}

#[test]
fn a_closure_is_carried_to_a_machine_without_a_network() {
    let t = installed();
    assert_snapshot!(t.weir("store export ../app.weir"), @"
    $ weir store export ../app.weir
    Exported 3 packages to `../app.weir` (2.3 KiB)
    ");
    let there = empty();
    for file in ["weir.toml", "weir.lock"] {
        there.write(format!("app/{file}"), t.read(format!("app/{file}")));
    }
    let carried = fs_err::read(t.path("app.weir")).expect("it was exported");
    there.write("app.weir", carried);
    assert_snapshot!(there.weir("store import ../app.weir"), @r"
    $ weir store import ../app.weir
    Imported 3 items, 0 were here already
    ");
    assert_snapshot!(there.weir("install --offline --locked"), @"
    $ weir install --offline --locked
    Installed 3 packages
    -- stderr
    warning: `weir.lock` is held against the packages in the store alone: nothing of their registries is on this machine
    ");
    there.write("bad.weir", "weir-export v1\nlock nothing\n");
    assert_snapshot!(there.weir("store import ../bad.weir"), @r"
    $ weir store import ../bad.weir
    -- stderr
      × `../bad.weir` cannot be imported
      ╰─▶ the export should go on with `lock`, and goes on with `lock nothing`
    -- exit code 6
    ");
}
